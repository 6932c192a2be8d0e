-- Why: where the ingestor lays its batches, and how far it has come on each Kafka partition.
-- Grain: KAFKA_OFFSETS by TOPIC and PARTITION.
-- Reads/Writes: the ingestor, in the transaction that writes the rows the offset speaks of.
-- Rerun: safe; nothing is replaced.

USE DATABASE <% ctx.env.CAVES_DATABASE %>;

CREATE FILE FORMAT IF NOT EXISTS RAW_DATA.PARQUET_BATCH
    TYPE = PARQUET
    COMMENT = 'The ingestor''s batches';

CREATE STAGE IF NOT EXISTS RAW_DATA.INGEST_STAGE
    FILE_FORMAT = (FORMAT_NAME = 'RAW_DATA.PARQUET_BATCH')
    COMMENT = 'The ingestor''s batches, removed once loaded';

-- Made after the streams: the ingestor cannot commit without it, so no event lands before a stream watches.
CREATE TABLE IF NOT EXISTS RAW_DATA.KAFKA_OFFSETS (
    TOPIC VARCHAR NOT NULL COMMENT 'Kafka topic',
    PARTITION NUMBER(38, 0) NOT NULL COMMENT 'Kafka partition',
    NEXT_OFFSET NUMBER(38, 0) NOT NULL COMMENT 'the first offset that is not loaded',
    FIRST_OFFSET NUMBER(38, 0) NOT NULL COMMENT 'where loading began: the beginning of the log at that time',
    UPDATED_AT TIMESTAMP_NTZ NOT NULL COMMENT 'when, UTC'
)
COMMENT = 'How far the ingestor has come';
