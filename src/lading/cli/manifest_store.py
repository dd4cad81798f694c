"""Lists of manifests that are being put together: files below the client's settings, as docker has them."""

from __future__ import annotations

import os
import shutil

from lading.cli.errors import CommandFailed
from lading.cli.manifest_list import ImageManifest, read_record
from lading.cli.output_file import write_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.session import Session


class ManifestStore:
    """A directory for each list, in it a file for each manifest."""

    def __init__(self, session: Session) -> None:
        self._root = f"{session.config_directory}/manifests"

    def get(self, target: str, reference: str) -> ImageManifest | None:
        """A manifest of the list `target`. Raises CommandFailed, OSError."""
        return self._read(f"{self._place(target)}/{_file_name(reference)}")

    def get_list(self, target: str) -> list[ImageManifest] | None:
        """All manifests of a list, by their names; None where there is no such list.

        Raises CommandFailed, OSError.
        """
        try:
            names = sorted(os.listdir(self._place(target)))
        except FileNotFoundError:
            return None
        found = (self._read(f"{self._place(target)}/{name}") for name in names)
        return [manifest for manifest in found if manifest is not None]

    def save(self, target: str, reference: str, manifest: ImageManifest) -> None:
        """Raises OSError."""
        os.makedirs(self._place(target), exist_ok=True)
        text = manifest.as_record().encode("utf-8", "surrogateescape")
        write_file(f"{self._place(target)}/{_file_name(reference)}", iter((text,)))

    def remove(self, target: str) -> None:
        """Raises OSError."""
        shutil.rmtree(self._place(target))

    def _place(self, target: str) -> str:
        return f"{self._root}/{_file_name(target)}"

    def _read(self, path: str) -> ImageManifest | None:
        if os.path.basename(path).startswith("."):
            return None
        try:
            with open(path, "rb") as file:
                return read_record(file.read(), path)
        except FileNotFoundError:
            return None


def no_such_list(target: str) -> CommandFailed:
    return CommandFailed(f"No such manifest: {target}")


def _file_name(reference: str) -> str:
    return reference.replace(":", "-").replace("/", "_")
