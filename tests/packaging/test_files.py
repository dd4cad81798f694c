"""What is shipped beside the code is accepted by what reads it."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from lading.daemon.command_line import parse

_PACKAGING = Path(__file__).parents[2] / "packaging"
_UNITS = sorted((_PACKAGING / "systemd").glob("ladingd.*"))


def test_the_daemon_accepts_the_sample_configuration() -> None:
    settings, only_validate = parse(["--validate", "--config-file", str(_PACKAGING / "daemon.json")])
    assert only_validate
    assert settings.log_opt == {"max-size": "10m", "max-file": "3"}


def test_a_stop_of_the_unit_spares_the_containers() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(_PACKAGING / "systemd" / "ladingd.service")
    service = unit["Service"]
    assert (service["Type"], service["KillMode"], service["Delegate"]) == ("notify", "process", "yes")
    assert "fd://" in service["ExecStart"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    # The program a unit starts must exist to be verified; where it is installed is the user's choice.
    for unit in _UNITS:
        text = unit.read_text().replace("/usr/local/bin/ladingd", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *[str(tmp_path / unit.name) for unit in _UNITS]],
        capture_output=True,
        text=True,
    )
    assert "ladingd" not in done.stderr, done.stderr
