"""Which code is deployed: a short name for the content of everything that a deployment sends."""

import hashlib
from pathlib import Path
from typing import Final

# The same files as in snowflake.yml's artifacts, and the SQL.
_SENT: Final = (
    "snowflake.yml",
    "requirements*.txt",
    "deploy/[0-9]*.sql",
    "procedures/*.py",
    "src/caves_snowpark/*.py",
)
_LENGTH: Final = 12


def fingerprint(root: Path) -> str:
    """The same for the same content, wherever and whenever it lies there."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _SENT for path in root.glob(pattern)}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:_LENGTH]
