"""Given to pytest with -p: what Snowpark's own tests import as `tests.parameters`, from the environment."""

import json
import os
import sys
from types import ModuleType

parameters = ModuleType("tests.parameters")
parameters.CONNECTION_PARAMETERS = json.loads(os.environ["SUITES_CONNECTION"])  # type: ignore[attr-defined]
sys.modules["tests.parameters"] = parameters
