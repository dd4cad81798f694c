"""A daemon killed in the middle of a load leaves whole images or none."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from .rooms import Rooms, saved, tree

LOADER = """
import asyncio, sys
from pathlib import Path
from tests.images.rooms import Rooms
async def main():
    rooms = Rooms(Path(sys.argv[1]))
    print("open", flush=True)
    for archive in sys.argv[2:]:
        await rooms.load(Path(archive))
        print("loaded", Path(archive).stem, flush=True)
    for archive in sys.argv[2:]:
        print("removing", Path(archive).stem, flush=True)
        rooms.images.remove(Path(archive).stem)
    print("done", flush=True)
asyncio.run(main())
"""
# After how many lines of the loader the kill comes: it must not depend on how fast this machine is.
MOMENTS = range(1, 9)


def test_killed_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(7)
    shared = tree({f"shared/{number}": chance.randbytes(3000) for number in range(150)})
    archives = []
    for name in "abc":
        own = tree({f"{name}/{number}": chance.randbytes(2000) for number in range(100)})
        archives.append(tmp_path / f"{name}.tar")
        archives[-1].write_bytes(saved(name, [shared, own]))
    root = tmp_path / "data"

    async def reopened() -> list[str]:
        rooms = Rooms(root)
        await rooms.cleared()
        rooms.check()
        found = [shown["RepoTags"][0] for shown in rooms.images.list()]
        await rooms.close()
        return found

    outcomes = set()
    for lines in [*MOMENTS, *chance.choices(MOMENTS, k=10)]:
        child = subprocess.Popen(
            [sys.executable, "-c", LOADER, str(root), *map(str, archives)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        said = [child.stdout.readline().decode().split() for _ in range(lines)]
        time.sleep(chance.uniform(0, 0.04))
        child.send_signal(signal.SIGKILL)
        said += [line.decode().split() for line in child.communicate()[0].splitlines()]
        found = asyncio.run(reopened())
        if ["removing", "a"] not in said:
            assert {f"{words[1]}:latest" for words in said if words[0] == "loaded"} <= set(found)
        outcomes.add(tuple(found))
    assert len(outcomes) > 1, "every kill came at the same moment"
