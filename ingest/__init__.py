"""From Kafka to RAW, exactly once; the shop that fills Kafka; and connections to the warehouse by name."""
