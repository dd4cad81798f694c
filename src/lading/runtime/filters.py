"""Seccomp profiles compiled once, for OCI runtimes that take a finished program.

crun takes a raw program in an annotation, which saves it compiling one at
every start. The annotation is an experiment of crun's that a later version may
drop: `probe` decides whether it may be used.
"""

import base64
import hashlib
import json
import logging
import os
import platform
from collections.abc import Mapping
from typing import Any

from lading.linux import seccomp

_log = logging.getLogger(__name__)

ANNOTATION = "run.oci.seccomp_bpf_data"


class Filters:
    """Compiled filters by profile; a handful, since nearly all containers share one.

    `directory` keeps them beyond the life of this process, if given; only root
    may be able to write there.
    """

    def __init__(self, directory: str = "") -> None:
        self._directory = directory
        self._compiled: dict[str, str | None] = {}

    def knows(self, profile: Mapping[str, Any]) -> bool:
        """Whether `annotation` would answer at once."""
        return _text(profile) in self._compiled

    def annotation(self, profile: Mapping[str, Any]) -> dict[str, str] | None:
        """The annotation that carries `profile`, or None where it must be passed as it is."""
        text = _text(profile)
        if text not in self._compiled:
            self._compiled[text] = self._load_or_compile(text, profile)
        encoded = self._compiled[text]
        return None if encoded is None else {ANNOTATION: encoded}

    def _load_or_compile(self, text: str, profile: Mapping[str, Any]) -> str | None:
        try:
            path = self._path(text)
            program = _read(path)
            if not program:
                program = seccomp.compile_filter(profile)
                _write(path, program)
        except seccomp.SeccompError as error:
            _log.warning("the OCI runtime will compile this seccomp profile itself: %s", error)
            return None
        return base64.b64encode(program).decode("ascii")

    def _path(self, text: str) -> str:
        if not self._directory:
            return ""
        # What a name means depends on both: the same profile may compile to more with a newer library.
        facts = f"{seccomp.library_version()} {platform.machine()} {text}"
        return f"{self._directory}/{hashlib.sha256(facts.encode()).hexdigest()}.bpf"


def _text(profile: Mapping[str, Any]) -> str:
    return json.dumps(profile)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _write(path: str, program: bytes) -> None:
    if not path:
        return
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(f"{path}.new", "wb") as file:
            file.write(program)
        os.rename(f"{path}.new", path)
    except OSError as error:
        _log.warning("a compiled seccomp filter could not be kept: %s", error)
