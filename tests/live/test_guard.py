"""What keeps the live tests off everything that is not theirs; this needs no account."""

from dataclasses import replace

import pytest

from caves_cli.connection import Target
from caves_snowpark import names
from tests.live.database_of_its_own import NotOursError, deployed, remove, require_ours

OURS = Target(
    "a",
    None,
    "CAVES_LIVE_0A1B2C3D",
    "CAVES_LIVE_0A1B2C3D_WH",
    variables={"CAVES_ROLES": "CAVES_LIVE_0A1B2C3D"},
)


@pytest.mark.parametrize(
    "other",
    [
        replace(OURS, database=names.DEFAULT_DATABASE),
        replace(OURS, database="CAVES_LIVE_0A1B2C3D; DROP DATABASE X"),
        replace(OURS, warehouse=names.DEFAULT_WAREHOUSE),
        replace(OURS, variables={"CAVES_ROLES": names.DEFAULT_ROLES}),
        replace(OURS, variables={}),
    ],
)
def test_a_name_that_is_not_of_a_live_run_is_refused_before_anything_is_opened(other: Target) -> None:
    require_ours(OURS)
    with pytest.raises(NotOursError, match="CAVES_LIVE_"):
        remove(other)
    with pytest.raises(NotOursError, match="CAVES_LIVE_"), deployed(other):
        pass
