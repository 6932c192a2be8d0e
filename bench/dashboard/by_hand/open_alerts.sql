SELECT count(*) FROM alert_log WHERE cleared_at IS NULL;
