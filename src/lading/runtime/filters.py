"""Handing a compiled seccomp filter to the OCI runtime.

crun takes a raw program in an annotation, which saves it compiling one at
every start. The annotation is an experiment of crun's that a later version may
drop, so it is used only with a crun binary that was seen to honour it; runc,
and profiles no program can express, get the profile itself.
"""

import base64
import json
import logging
from collections.abc import Mapping
from typing import Any

from lading.linux import seccomp

_log = logging.getLogger(__name__)

ANNOTATION = "run.oci.seccomp_bpf_data"


class Filters:
    """Compiled filters by profile; a handful, since nearly all containers share one."""

    def __init__(self) -> None:
        self._compiled: dict[str, str | None] = {}

    def annotation(self, profile: Mapping[str, Any]) -> dict[str, str] | None:
        """The annotation that carries `profile`, or None where it must be passed as it is."""
        key = json.dumps(profile, sort_keys=True)
        if key not in self._compiled:
            self._compiled[key] = _compile(profile)
        encoded = self._compiled[key]
        return None if encoded is None else {ANNOTATION: encoded}


def _compile(profile: Mapping[str, Any]) -> str | None:
    try:
        return base64.b64encode(seccomp.compile_filter(profile)).decode("ascii")
    except seccomp.SeccompError as error:
        _log.warning("the OCI runtime will compile this seccomp profile itself: %s", error)
        return None
