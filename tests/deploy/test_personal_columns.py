"""Columns that tell of a person: those that deploy/optional/tags.sql names are those that there are."""

import re
from pathlib import Path
from typing import Final

from caves_snowpark import names, schemas

OPTIONAL: Final = Path(__file__).parents[2] / "deploy" / "optional"
PERSONAL: Final = {
    "CUSTOMER_ID": "IDENTIFIER",
    "SHIPPING_ADDRESS": "CONTACT",
    "EVENT_CONTENT": "PAYLOAD",
    "EVENT_METADATA": "PAYLOAD",
    "CORRECTED_CONTENT": "PAYLOAD",
    "NOTE": "PAYLOAD",
    "CONTENT_HASH": "PSEUDONYM",
    "CUSTOMER_HASH": "PSEUDONYM",
}
# A movement is of no customer.
OF_NOBODY: Final = (names.STG_INVENTORY_ADJUSTMENTS, names.PURGED_ADJUSTMENTS)


def test_every_column_that_tells_of_a_person_is_tagged_and_no_other() -> None:
    there = {
        (table, column, PERSONAL[column])
        for table, schema in schemas.TABLES.items()
        for column in schemas.columns(schema)
        if column in PERSONAL and table not in OF_NOBODY
    }
    text = (OPTIONAL / "tags.sql").read_text(encoding="utf-8")
    found = re.findall(
        r"^ALTER TABLE (\S+) MODIFY COLUMN (\S+) SET TAG OPS.PERSONAL_DATA = '(\w+)';$", text, re.MULTILINE
    )
    assert len(found) == len(there)
    assert set(found) == there


def test_every_address_is_masked() -> None:
    text = (OPTIONAL / "masking.sql").read_text(encoding="utf-8")
    masking = r"^ALTER TABLE (\S+) MODIFY COLUMN SHIPPING_ADDRESS SET MASKING POLICY \S+ FORCE;$"
    masked = re.findall(masking, text, re.MULTILINE)
    with_address = [
        table for table in schemas.TABLES if "SHIPPING_ADDRESS" in schemas.columns(schemas.TABLES[table])
    ]
    assert sorted(masked) == sorted(with_address)
