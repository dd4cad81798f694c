"""What daemons that were killed have left in the bundles of containers that run on."""

import os
from collections.abc import Container
from contextlib import suppress

from lading.ids import is_full_id


def remove_files(bundle: str, held: Container[str]) -> None:
    """Removes the files of commands that nobody holds any more.

    They stay where a daemon ends while it starts a command, or before it has dealt with its end.
    """
    # Containers end meanwhile, and their bundles go.
    with suppress(FileNotFoundError):
        for name in os.listdir(bundle):
            key = name.partition(".")[0]
            if is_full_id(key) and key not in held:
                os.unlink(f"{bundle}/{name}")
