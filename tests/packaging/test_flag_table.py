"""The table of flags and fields is whole, and names tests that exist."""

import json
import re
from pathlib import Path

import msgspec

from lading.schema.container import HostConfig

_TESTS = Path(__file__).parents[1]
_TABLE = (_TESTS.parent / "docs" / "run-flags.md").read_text()
_ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in _TABLE.splitlines()
    if line.startswith("| ") and not line.startswith("| flag")
]


def test_every_flag_and_every_field_has_a_row() -> None:
    flags = {row[0].strip("`") for row in _ROWS} - {""}
    assert flags == set(json.loads((_TESTS / "cli" / "run_flags.json").read_text()))
    fields = {row[1] for row in _ROWS} - {""}
    assert fields == {field.encode_name for field in msgspec.structs.fields(HostConfig)}


def test_every_test_it_names_exists() -> None:
    for row in _ROWS:
        named = re.findall(r"`([^`]+)`", row[3])
        assert named, row
        for name in named:
            path, _, function = name.partition("::")
            case = function.partition("[")[2].strip("]")
            text = (_TESTS / path).read_text()
            assert f"def {function.partition('[')[0]}(" in text, name
            assert f'"{case}"' in text, name
