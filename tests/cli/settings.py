"""The user's settings in tests, and comparing with docker what names either program."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.cli.conftest import Outcome


def write(settings: Path, content: Any) -> Path:
    """Writes config.json: text as it stands, anything else as JSON."""
    settings.mkdir(exist_ok=True)
    path = settings / "config.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def alike(outcome: Outcome) -> Outcome:
    """The outcome as the fixture `docker` gives it: where messages name docker, they name us."""
    return replace(
        outcome, out=outcome.out.replace("docker", "lading"), err=outcome.err.replace("docker", "lading")
    )
