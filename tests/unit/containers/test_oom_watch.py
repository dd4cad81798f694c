"""Hearing of the OOM killer where control groups are of version 2: the same files, as inotify shows them."""

import asyncio
from pathlib import Path

from lading.containers.oom_watch import OomWatch
from lading.linux import oom


def test_a_victim_is_heard_of_until_nobody_wants_to_know(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("memory\n")
    (tmp_path / "box").mkdir()
    events = tmp_path / "box" / "memory.events"
    events.write_text("low 0\nhigh 0\nmax 3\noom 0\noom_kill 0\noom_group_kill 0\n")

    async def scenario() -> list[int]:
        watch, seen = OomWatch(str(tmp_path)), []
        heard = asyncio.Event()

        def struck() -> None:
            seen.append(oom.victims("/box", str(tmp_path)))
            heard.set()

        watch.add("/box", struck)
        with open(events, "r+") as file:
            file.write("low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n")
        await asyncio.wait_for(heard.wait(), 5)
        watch.remove("/box")
        with open(events, "r+") as file:
            file.write("low 0\nhigh 0\nmax 3\noom 2\noom_kill 2\n")
        await asyncio.sleep(0.1)
        return seen

    assert set(asyncio.run(scenario())) == {1}
