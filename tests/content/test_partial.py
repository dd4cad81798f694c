"""Blobs that are gone on with while others clear away."""

import os
import threading
from pathlib import Path

import pytest

from lading.content import partial as module
from lading.content.partial import Partial, remove_partials

DIGEST = "sha256:" + "0" * 64


def test_a_transfer_that_begins_keeps_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_use: set[str] = set()
    Partial(str(tmp_path), DIGEST, in_use).leave()
    begun: list[Partial] = []
    beginning = threading.Thread(target=lambda: begun.append(Partial(str(tmp_path), DIGEST, in_use)))
    looked_at = os.lstat

    def look(path: str) -> os.stat_result:
        found = looked_at(path)
        if beginning.ident is None:
            # Between the look and the deed; where it has to wait for us, we do not wait for it.
            beginning.start()
            beginning.join(0.5)
        return found

    # Whoever removes has seen already that nobody uses it.
    monkeypatch.setattr(module, "stale_partials", lambda *_: [DIGEST.removeprefix("sha256:")])
    monkeypatch.setattr(os, "lstat", look)
    remove_partials(str(tmp_path), in_use, 0.0)
    beginning.join()
    begun[0].write(b"some of it")
    begun[0].leave()
    assert Path(begun[0].path).read_bytes() == b"some of it"


def test_a_file_that_cannot_be_opened_is_not_in_use(tmp_path: Path) -> None:
    in_use: set[str] = set()
    with pytest.raises(OSError):
        Partial(str(tmp_path / "missing"), DIGEST, in_use)
    assert not in_use
