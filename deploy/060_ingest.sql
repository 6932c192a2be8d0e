-- Why: where the ingestor lays its batches, how far it has come on each Kafka partition, what it passed over, and up to
--      where its rows were purged.
-- Grain: KAFKA_OFFSETS by TOPIC and PARTITION; KAFKA_OFFSET_GAPS by TOPIC, LOG_GENERATION, PARTITION and FROM_OFFSET;
--      PURGED_OFFSETS by SOURCE_TOPIC and SOURCE_PARTITION.
-- Reads/Writes: the ingestor, in the transaction that writes the rows the offset speaks of; OPS.PURGE_EXPIRED, in the
--      one that deletes them, PURGED_OFFSETS.
-- Rerun: safe; nothing is replaced.

USE ROLE <% ctx.env.CAVES_ROLES %>_ADMIN;
USE DATABASE <% ctx.env.CAVES_DATABASE %>;

CREATE FILE FORMAT IF NOT EXISTS RAW_DATA.PARQUET_BATCH
    TYPE = PARQUET
    COMMENT = 'The ingestor''s batches';

CREATE STAGE IF NOT EXISTS RAW_DATA.INGEST_STAGE
    FILE_FORMAT = (FORMAT_NAME = 'RAW_DATA.PARQUET_BATCH')
    COMMENT = 'The ingestor''s batches, removed once loaded';

CREATE OR ALTER TABLE RAW_DATA.KAFKA_OFFSET_GAPS (
    TOPIC VARCHAR NOT NULL COMMENT 'Kafka topic',
    LOG_GENERATION NUMBER(38, 0) NOT NULL COMMENT 'which log of this name, as in KAFKA_OFFSETS',
    PARTITION NUMBER(38, 0) NOT NULL COMMENT 'Kafka partition',
    FROM_OFFSET NUMBER(38, 0) NOT NULL COMMENT 'the first offset that is not in RAW',
    TO_OFFSET NUMBER(38, 0) COMMENT 'the first one after it that may be; null when nobody knows how much was lost',
    REASON VARCHAR NOT NULL COMMENT 'NOT_IN_LOG, RETENTION, SKIPPED, TOPIC_REPLACED or LOG_TRUNCATED',
    RESET_POLICY VARCHAR COMMENT 'the --on-offset-reset that went on; null for NOT_IN_LOG, which needs none',
    FIRST_OFFSET NUMBER(38, 0) COMMENT 'of a log that ended here: where its loading had begun; else null',
    DETECTED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when, UTC'
)
COMMENT = 'Kafka offsets that are not in RAW and never will be, and why';

CREATE OR ALTER TABLE RAW_DATA.PURGED_OFFSETS (
    SOURCE_TOPIC VARCHAR NOT NULL COMMENT 'Kafka topic, with @1 for the first log that replaced one of its name',
    SOURCE_PARTITION NUMBER(38, 0) NOT NULL COMMENT 'Kafka partition',
    PURGED_BEFORE NUMBER(38, 0) NOT NULL COMMENT 'no raw event below this offset is kept',
    PURGED_ROWS NUMBER(38, 0) NOT NULL COMMENT 'how many there were',
    UPDATED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when, UTC'
)
COMMENT = 'How far RAW was purged; written in the transaction that deletes';

-- Made after the streams: the ingestor cannot commit without it, so no event lands before a stream watches.
CREATE OR ALTER TABLE RAW_DATA.KAFKA_OFFSETS (
    TOPIC VARCHAR NOT NULL COMMENT 'Kafka topic',
    PARTITION NUMBER(38, 0) NOT NULL COMMENT 'Kafka partition',
    NEXT_OFFSET NUMBER(38, 0) NOT NULL COMMENT 'the first offset that is not loaded',
    FIRST_OFFSET NUMBER(38, 0) NOT NULL COMMENT 'where loading began: the beginning of the log at that time',
    UPDATED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when, UTC',
    TOPIC_ID VARCHAR COMMENT 'identity of the topic; null where the broker tells none',
    LOG_GENERATION NUMBER(38, 0) COMMENT '0 for the first log of this name, 1 for the one that replaced it, ...'
)
COMMENT = 'How far the ingestor has come';
