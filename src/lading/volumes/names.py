"""What a volume may be called. Pure."""

import re

from lading.errors import InvalidParameter

_LONGEST = 255
"""What a file system takes for the name of a directory (NAME_MAX)."""

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+\Z")


def check_name(name: str) -> None:
    """Raises InvalidParameter, in dockerd's words."""
    if len(name) == 1:
        raise InvalidParameter(
            f"create {name}: volume name is too short, names should be at least two alphanumeric characters"
        )
    if len(name) > _LONGEST:
        raise InvalidParameter(
            f"create {name}: volume name is too long, names should be at most {_LONGEST} characters"
        )
    if _NAME.match(name) is None:
        raise InvalidParameter(
            f'create {name}: "{name}" includes invalid characters for a local volume name, only '
            '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. '
            "If you intended to pass a host directory, use absolute path"
        )
