SELECT count(*) FROM rejected_events WHERE replayed_at IS NULL AND dismissed_at IS NULL;
