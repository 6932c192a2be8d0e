"""OPS.PURGE_EXPIRED(RETENTION): what OPS.RETENTION no longer keeps goes, layer by layer."""

from snowflake.snowpark import Session

from caves_snowpark.loads import Counts, report
from caves_snowpark.purge import purge
from caves_snowpark.refused_files import purge_files
from caves_snowpark.retention import retention


def main(session: Session, retention_: str | None = None) -> Counts:
    """Purge by OPS.RETENTION, or by the days that a JSON object names in its place."""
    kept = retention(session, retention_)
    counts = purge(session, kept)
    return report(session, counts | {"files": purge_files(session, kept.files)})
