SELECT severity, alert_name, subject, fired_at, cleared_at, details
FROM alert_log
ORDER BY cleared_at DESC NULLS FIRST, severity, fired_at DESC, alert_name, subject LIMIT 50;
