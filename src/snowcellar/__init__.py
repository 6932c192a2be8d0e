"""snowcellar: a local warehouse that speaks Snowflake's wire protocol over DuckDB."""

__version__ = "0.1.0"
