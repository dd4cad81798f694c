"""Whether a runtime may be given a compiled filter is seen, not believed."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any, cast

import pytest
from tests.runtime_spec.box import FACTS

from lading.runtime import FilterPassing, OciRuntime, Runtime
from lading.runtime.filters import ANNOTATION, Filters
from lading.runtime.probe import honours_annotation
from lading.runtime.spec import seccomp

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif(shutil.which("crun") is None, reason="crun is not installed"),
]

_FORGETFUL = f"""#!/bin/sh
# A crun from which the annotation is kept, as from one that does not know it.
for word; do [ -f "$word/config.json" ] && sed -i 's/{ANNOTATION}/unknown/' "$word/config.json"; done
exec crun "$@"
"""
_COUNTED = """#!/bin/sh
echo "$@" >> {log}
exec crun "$@"
"""


def _program(path: Path, text: str) -> OciRuntime:
    path.write_text(text)
    path.chmod(0o755)
    return OciRuntime(path.name, str(path))


class _Runtimes:
    """As much of the room's front door as is asked for."""

    def __init__(self, oci: OciRuntime) -> None:
        self._oci = oci
        self.default_runtime = oci.name

    def runtimes(self) -> dict[str, OciRuntime]:
        return {self._oci.name: self._oci}


def _passing(oci: OciRuntime, directory: Path) -> FilterPassing:
    return FilterPassing(cast(Runtime, _Runtimes(oci)), FACTS.machine, str(directory))


def _honours(oci: OciRuntime) -> bool:
    return asyncio.run(honours_annotation(oci, Filters(), FACTS.machine))


def test_crun_applies_it() -> None:
    assert _honours(OciRuntime("crun", "/usr/bin/crun"))


def test_a_crun_that_does_not_know_the_annotation_is_found_out(tmp_path: Path) -> None:
    assert not _honours(_program(tmp_path / "crun-forgetful", _FORGETFUL))


def test_a_crun_that_cannot_run_is_given_the_profile(tmp_path: Path) -> None:
    assert not _honours(_program(tmp_path / "crun-broken", "#!/bin/sh\nexit 1\n"))


def test_other_runtimes_are_not_even_asked(tmp_path: Path) -> None:
    log = tmp_path / "log"
    oci = _program(tmp_path / "another", _COUNTED.format(log=log))
    profile = seccomp.default(frozenset(), FACTS.machine)
    assert asyncio.run(_passing(oci, tmp_path / "kept").annotation("", profile)) is None
    assert not log.exists()


def test_verdict_and_filters_outlive_the_daemon_but_not_the_program(tmp_path: Path) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    oci = _program(tmp_path / "crun-counted", _COUNTED.format(log=log))
    profile = seccomp.default(frozenset(), FACTS.machine)

    def ask(oci: OciRuntime) -> dict[str, str] | None:
        passing = _passing(oci, kept)
        asyncio.run(passing.prepare(FACTS))
        return asyncio.run(passing.annotation("", profile))

    first = ask(oci)
    assert first is not None
    asked = log.read_text()
    assert asked
    assert ask(oci) == first
    assert log.read_text() == asked
    (tmp_path / "crun-counted").unlink()
    ask(_program(tmp_path / "crun-counted", _COUNTED.format(log=log)))
    assert log.read_text() != asked


def test_what_a_killed_daemon_left_is_cleared_away(tmp_path: Path) -> None:
    place = tmp_path / "probe"
    (place / "state" / "probe").mkdir(parents=True)
    (place / "rootfs").mkdir()
    oci = OciRuntime("crun", "/usr/bin/crun")
    assert asyncio.run(honours_annotation(oci, Filters(), FACTS.machine, str(place)))
    assert not place.exists()


def test_a_profile_no_program_can_do_is_passed_as_it_is() -> None:
    profile: dict[str, Any] = {"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG"]}
    assert Filters().annotation(profile) is None
