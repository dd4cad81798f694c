"""Containers and execs by crun and runc: starting, failing, ending."""

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest
from tests.runtime.bundles import Room, User, play

from lading.errors import Conflict, InvalidParameter, NotFound, Unsupported
from lading.runtime import Attach, Detached, LaunchError, Runtime


def test_a_container_from_start_to_end(each_room: Room) -> None:
    async def script(room: Room) -> None:
        user = User()
        await room.runtime.attach("a", user.theirs, Attach(stdin=True))
        user.theirs.close()
        await user.send(b"hello\n")
        user.half_close()
        started = await room.launch("a", "sh", "-c", "cat; exit 3", open_stdin=True, stdin_once=True)
        ended = await room.ended("a")
        assert await user.read_all() == b"hello\n"
        assert ended.code == 3
        assert ended.finished_ns >= started.started_ns
        assert room.logged("a") == "hello\n"
        assert room.runtime.recorded()["a"] == ended
        await room.runtime.forget("a")
        await room.runtime.delete("a")
        assert room.runtime.recorded() == {}
        assert not os.path.exists(f"{room.layout.bundles}/a")
        assert os.listdir(f"{room.layout.runtime_state}/{room.oci}") == []

    play(each_room, script)


@pytest.mark.parametrize(
    ("command", "text", "code"),
    [
        ("nosuch", r'exec: "nosuch": executable file not found in \$PATH', 127),
        ("/nosuch", "no such file or directory", 127),
        ("/plain", 'exec: "/plain": permission denied', 126),
        ("/bin", "permission denied|is a directory", 126),
    ],
)
def test_commands_that_cannot_be_run(each_room: Room, command: str, text: str, code: int) -> None:
    async def script(room: Room) -> None:
        with pytest.raises(LaunchError) as caught:
            await room.launch("a", command)
        assert re.search(text, caught.value.message)
        assert caught.value.exit_code == code
        assert room.runtime.running() == {}
        await room.launch("b", "sleep", "60")
        with pytest.raises(LaunchError) as caught:
            await room.execute("x", "b", command)
        assert re.search(text, caught.value.message)
        assert caught.value.message.startswith("OCI runtime exec failed: exec failed: ")
        assert caught.value.exit_code == code

    play(each_room, script)


def test_a_failed_start_leaves_nothing_and_can_be_repeated(each_room: Room) -> None:
    async def script(room: Room) -> None:
        with pytest.raises(LaunchError):
            await room.launch("a", "nosuch")
        await room.launch("a", "true")
        assert (await room.ended("a")).code == 0

    play(each_room, script)


def test_exec(each_room: Room) -> None:
    async def script(room: Room) -> None:
        await room.launch("a", "sleep", "60")
        user = User()
        await room.runtime.attach("x", user.theirs, Attach(stdin=True, framed=True))
        user.theirs.close()
        await user.send(b"in\n")
        user.half_close()
        await room.execute("x", "a", "sh", "-c", "cat; echo err >&2; exit 9", open_stdin=True)
        ended = await room.ended("x")
        assert (ended.container_id, ended.exec_id, ended.code) == ("a", "x", 9)
        frames = await user.read_all()
        assert b"\x01\0\0\0\0\0\0\x03in\n" in frames
        assert b"\x02\0\0\0\0\0\0\x04err\n" in frames
        assert room.logged("a") == ""
        await room.runtime.signal("a", signal.SIGKILL)
        assert (await room.ended("a")).code == 137

    play(each_room, script)


def test_terminal(each_room: Room) -> None:
    async def script(room: Room) -> None:
        user = User()
        await room.runtime.attach("a", user.theirs, Attach(stdin=True))
        user.theirs.close()
        command = "stty size; read x; stty size; echo got $x"
        await room.launch("a", "sh", "-c", command, tty=True, open_stdin=True, console_size=(33, 77))
        assert await user.read_until(b"\r\n") == b"33 77\r\n"
        await room.runtime.resize("a", 10, 20)
        await user.send(b"word\n")
        assert await user.read_all() == b"word\r\n10 20\r\ngot word\r\n"
        assert (await room.ended("a")).code == 0
        assert room.logged("a") == "33 77\r\nword\r\n10 20\r\ngot word\r\n"
        with pytest.raises(Conflict):
            await room.runtime.resize("a", 10, 20)

    play(each_room, script)


def test_terminal_of_an_exec(each_room: Room) -> None:
    async def script(room: Room) -> None:
        await room.launch("a", "sleep", "60")
        user = User()
        await room.runtime.attach("x", user.theirs, Attach(stdin=True))
        user.theirs.close()
        await room.execute("x", "a", "sh", "-c", "tty; exit 2", tty=True, open_stdin=True)
        assert (await user.read_all()).startswith(b"/dev/pts/")
        assert (await room.ended("x")).code == 2

    play(each_room, script)


def test_detach_keys_end_the_session_and_not_the_container(room: Room) -> None:
    async def script(room: Room) -> None:
        user = User()
        await room.runtime.attach("a", user.theirs, Attach(stdin=True, detach_keys="ctrl-x,y"))
        user.theirs.close()
        await room.launch("a", "sh", "-c", "stty -echo; echo on; cat", tty=True, open_stdin=True)
        await user.read_until(b"on\r\n")
        await user.send(b"one\n\x18")
        await user.read_until(b"one\r\n")
        await user.send(b"y")
        assert await user.read_all() == b""
        assert await asyncio.wait_for(room.news.get(), 20) == Detached("a", "a", None)
        again = User()
        await room.runtime.attach("a", again.theirs, Attach(stdin=True))
        await again.send(b"two\n")
        await again.read_until(b"two\r\n")

    play(room, script)


def test_the_kernels_oom_killer_is_told_from_a_kill(room: Room) -> None:
    async def script(room: Room) -> None:
        limited = room.spec

        def spec(key: str, command: tuple[str, ...], **changes: object) -> dict[str, object]:
            made = limited(key, command, **changes)
            made["linux"]["resources"] = {"memory": {"limit": 8 * 1024 * 1024, "swap": 8 * 1024 * 1024}}
            return made

        room.spec = spec  # type: ignore[method-assign]
        await room.launch("a", "sh", "-c", "x=0123456789abcdef; while true; do x=$x$x; done")
        ended = await room.ended("a")
        assert (ended.code, ended.oom) == (137, True)
        await room.launch("b", "sleep", "60")
        await room.runtime.signal("b", signal.SIGKILL)
        ended = await room.ended("b")
        assert (ended.code, ended.oom) == (137, False)

    play(room, script)


def test_what_is_not_there(room: Room) -> None:
    async def script(room: Room) -> None:
        with pytest.raises(NotFound):
            await room.runtime.signal("none", signal.SIGTERM)
        with pytest.raises(InvalidParameter, match="unknown or invalid runtime name: nosuch"):
            room.runtime.check_runtime("nosuch")
        await room.runtime.forget("none")
        await room.runtime.delete("none")

    play(room, script)


def test_a_default_runtime_that_is_not_there(tmp_path: Path, root: Path) -> None:
    room = Room(tmp_path, root, "nosuch")

    async def script() -> None:
        with pytest.raises(Unsupported, match="nosuch"):
            await room.open()

    asyncio.run(script())


def test_runtimes_can_be_added(room: Room) -> None:
    wrapper = room.directory / "wrapper"
    wrapper.write_text('#!/bin/sh\necho "$@" >> "$0.calls"\nexec runc "$@"\n')
    wrapper.chmod(0o755)

    async def script() -> None:
        room.news = asyncio.Queue()
        added = {"mine": {"path": str(wrapper), "runtimeArgs": ["--debug"]}}
        room.runtime = Runtime(room.layout, added=added)
        room.runtime.on_news(room.news.put_nowait)
        await room.runtime.start()
        try:
            await room.launch("a", "true", runtime="mine")
            assert (await room.ended("a")).code == 0
            await room.runtime.delete("a", "mine")
            calls = Path(f"{wrapper}.calls").read_text()
            assert calls.startswith("--debug --root ")
            assert "delete --force a" in calls
        finally:
            await room.destroy()

    asyncio.run(script())


def test_sweep_deletes_what_nobody_knows(room: Room) -> None:
    async def script(room: Room) -> None:
        await room.launch("stray", "sleep", "60")
        await room.launch("known", "sleep", "60")
        await room.runtime.sweep({"known"})
        assert (await room.ended("stray")).code == 137
        assert list(room.runtime.running()) == ["known"]
        assert os.listdir(room.layout.bundles) == ["known"]

    play(room, script)


def test_twenty_at_once(room: Room) -> None:
    async def script(room: Room) -> None:
        async def one(number: int) -> None:
            await room.launch(f"c{number}", "sh", "-c", f"echo {number}; exit {number}")

        await asyncio.gather(*(one(number) for number in range(20)))
        for number in range(20):
            while f"c{number}" not in room.runtime.recorded():
                await room.news.get()
            assert room.runtime.recorded()[f"c{number}"].code == number
            assert room.logged(f"c{number}") == f"{number}\n"

    play(room, script)
