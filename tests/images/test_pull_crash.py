"""A daemon killed in the middle of a pull: whole images or none, and the next pull goes on."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.registries import Registry, needs_registry

from .published import Repository, noise
from .rooms import Rooms, tree

pytestmark = needs_registry

PULLER = """
import asyncio, sys
from pathlib import Path
from lading.distribution import Registries
from lading.images import ImageTransfers
from tests.images.published import QUICK
from tests.images.rooms import Rooms
async def main():
    rooms = Rooms(Path(sys.argv[1]))
    transfers = ImageTransfers(rooms.ctx, Registries(QUICK))
    print("open", flush=True)
    for tag in "abc":
        async for message in transfers.pull(sys.argv[2], tag, "linux/amd64"):
            print(message["status"].split()[0], flush=True)
        print("pulled", tag, flush=True)
    for tag in "abc":
        print("removing", tag, flush=True)
        rooms.images.remove(sys.argv[2] + ":" + tag)
asyncio.run(main())
"""


def test_killed_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(11)
    base = noise(50, 4 << 20)
    root = tmp_path / "data"
    with Registry(tmp_path / "registry") as registry:
        there = Repository(registry, "crash")
        for number, tag in enumerate("abc"):
            there.image([base, noise(51 + number, 1 << 20), tree({tag: tag})], tag)
        name = f"{registry.host}/{there.name}"
        outcomes = set()
        for lines in (2, 6, 9, 12, 18, 24, 30, 36):
            said = _killed(root, name, lines, chance.uniform(0, 0.05))
            found = asyncio.run(_reopened(root))
            if ["removing", "a"] not in said:
                assert {f"{name}:{words[1]}" for words in said if words[0] == "pulled"} <= found
            outcomes.add(frozenset(found))
        assert len(outcomes) > 1, "every kill came at the same moment"
        said = _killed(root, name, 10**6, 0)
        assert ["removing", "c"] in said


def _killed(root: Path, name: str, lines: int, seconds: float) -> list[list[str]]:
    """Pulls until so many lines were said, and a little longer; what was said."""
    child = subprocess.Popen([sys.executable, "-c", PULLER, str(root), name], stdout=subprocess.PIPE)
    assert child.stdout is not None
    said: list[list[str]] = []
    while len(said) < lines and (line := child.stdout.readline()):
        said.append(line.decode().split())
    time.sleep(seconds)
    if lines < 10**6:
        child.send_signal(signal.SIGKILL)
    said += [line.decode().split() for line in child.communicate()[0].splitlines()]
    return said


async def _reopened(root: Path) -> set[str]:
    rooms = Rooms(root)
    await rooms.cleared()
    parts, aside = root / "content/ingest/parts", root / "aside"
    if parts.exists():
        # They are to be there; everything else that the kill left is not.
        parts.rename(aside)
    rooms.check()
    if aside.exists():
        aside.rename(parts)
    found = {tag for shown in rooms.images.list() for tag in shown["RepoTags"]}
    await rooms.close()
    return found
