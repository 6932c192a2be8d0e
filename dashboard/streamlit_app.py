"""The entry point: `snow streamlit deploy` in Snowflake, `caves dashboard` on this machine."""

import sys
from pathlib import Path

# Streamlit puts the folder of its script on the path; the packages are beside that folder.
sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from dashboard.app import main  # noqa: E402

main()
