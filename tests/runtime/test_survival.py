"""The keeper and the daemon may die at any moment; containers, sessions and exit codes do not notice."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.runtime.bundles import Room, User, play

from lading.runtime import Attach

COUNTER = 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); echo "line $i"; done; exit 5'


def test_the_keepers_death_costs_no_line_no_session_and_no_exit_code(room: Room) -> None:
    async def script(room: Room) -> None:
        user = User()
        await room.runtime.attach("shell", user.theirs, Attach(stdin=True))
        user.theirs.close()
        await room.launch("shell", "sh", tty=True, open_stdin=True)
        waiting = User()
        await room.runtime.attach("later", waiting.theirs, Attach())
        waiting.theirs.close()
        await room.launch("a", "sh", "-c", COUNTER)
        for _ in range(3):
            os.kill(await room.keeper_pid(), signal.SIGKILL)
            await asyncio.sleep(0.1)
        assert (await room.ended("a")).code == 5
        assert room.logged("a") == "".join(f"line {number}\n" for number in range(1, 30001))
        await user.send(b"echo al''ive; exit 6\n")
        await user.read_until(b"alive\r\n")
        assert (await room.ended("shell")).code == 6
        await room.launch("later", "echo", "hello")
        assert await waiting.read_all() == b"hello\n"

    play(room, script)


def test_an_exit_while_there_is_no_keeper(room: Room) -> None:
    async def script(room: Room) -> None:
        started = await room.launch("a", "sleep", "60")
        os.kill(await room.keeper_pid(), signal.SIGKILL)
        os.kill(started.pid, signal.SIGTERM)
        os.kill(started.pid, signal.SIGKILL)
        ended = await room.ended("a")
        assert (ended.code, ended.reason) == (137, "")

    play(room, script)


def test_requests_wait_for_the_next_keeper(room: Room) -> None:
    async def script(room: Room) -> None:
        await room.launch("a", "sleep", "60")
        os.kill(await room.keeper_pid(), signal.SIGKILL)
        await room.launch("b", "true")
        await room.runtime.signal("a", signal.SIGKILL)
        assert (await room.ended("a")).code == 137

    play(room, script)


def test_a_start_under_way_survives_the_keeper(room: Room) -> None:
    async def script(room: Room) -> None:
        for delay in (0.001, 0.003, 0.006, 0.01):
            launching = asyncio.ensure_future(room.launch("a", "sh", "-c", "echo hi; exit 4"))
            await asyncio.sleep(delay)
            os.kill(await room.keeper_pid(), signal.SIGKILL)
            await launching
            assert (await room.ended("a")).code == 4
            assert room.logged("a").endswith("hi\n")
            await room.runtime.forget("a")
            await room.runtime.delete("a")

    play(room, script)


DAEMON = """
import asyncio, sys
from pathlib import Path
from tests.runtime.bundles import Room, User
from lading.runtime import Attach

async def main():
    room = Room(Path(sys.argv[1]), Path(sys.argv[2]))
    await room.open()
    await room.launch("done", "sh", "-c", "exit 7")
    await room.ended("done")
    await room.launch("a", "sh", "-c", "echo begin; read x; echo $x; exit 3", open_stdin=True)
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_daemon_finds_what_the_one_before_left(room: Room) -> None:
    former = subprocess.Popen(
        [sys.executable, "-c", DAEMON, str(room.directory), str(room.root)], stdout=subprocess.PIPE
    )
    assert former.stdout is not None
    assert former.stdout.readline() == b"ready\n"
    former.kill()
    former.wait()
    former.stdout.close()

    async def script(room: Room) -> None:
        room.launched |= {"done", "a"}
        assert room.runtime.recorded()["done"].code == 7
        assert list(room.runtime.running()) == ["a"]
        # This daemon is no parent of the keeper, nor of the container once the keeper has died.
        os.kill(await room.keeper_pid(), signal.SIGKILL)
        user = User()
        await room.runtime.attach("a", user.theirs, Attach(stdin=True))
        await user.send(b"hello\n")
        ended = await room.ended("a")
        assert (ended.code, ended.reason) == (3, "")
        assert room.logged("a") == "begin\nhello\n"

    play(room, script)


def test_parked_connections_outlive_keeper_and_daemon(room: Room) -> None:
    async def script(room: Room) -> None:
        first, second = User(), User()
        gone = await room.runtime.park({"for": "first"}, first.theirs)
        await room.runtime.park({"for": "second"}, second.theirs)
        await room.runtime.unpark(gone)
        os.kill(await room.keeper_pid(), signal.SIGKILL)
        await room.runtime.catch_up()
        third = User()
        await room.runtime.park({"for": "third"}, third.theirs)
        await room.runtime.close()
        await room.open()
        parked = {about["for"]: (number, client) for number, about, client in await room.runtime.parked()}
        assert set(parked) == {"second", "third"}
        for name, user in (("second", second), ("third", third)):
            number, client = parked[name]
            client.sendall(name.encode())
            client.close()
            await user.read_until(name.encode())
            await room.runtime.unpark(number)
        assert await room.runtime.parked() == []

    play(room, script)


def test_clients_may_leave_while_another_keeper_is_told_of_them(room: Room) -> None:
    async def script(room: Room) -> None:
        user = User()
        numbers = [await room.runtime.park({"n": n}, user.theirs) for n in range(200)]
        os.kill(await room.keeper_pid(), signal.SIGKILL)
        leaving = []
        # One after another, so that some leave right in the midst of it.
        for number in numbers:
            leaving.append(asyncio.ensure_future(room.runtime.unpark(number)))
            await asyncio.sleep(0.002)
        async with asyncio.timeout(10):
            await asyncio.gather(*leaving)
        assert await room.runtime.parked() == []
        await room.launch("a", "sh", "-c", "exit 3")
        assert (await room.ended("a")).code == 3

    play(room, script)


def test_a_keeper_that_talks_nonsense_is_left_for_another(room: Room) -> None:
    async def script(room: Room) -> None:
        os.kill(await room.keeper_pid(), signal.SIGKILL)
        path = Path(room.layout.keeper_socket)
        path.unlink()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.setblocking(False)
            listener.bind(str(path))
            listener.listen()
            loop = asyncio.get_running_loop()
            asking, _ = await loop.sock_accept(listener)
            with asking:
                question = json.loads(await loop.sock_recv(asking, 65536))
                asking.send(json.dumps({"n": question["n"], "ok": {}}).encode())
                path.unlink()
        async with asyncio.timeout(10):
            await room.launch("a", "sh", "-c", "exit 3")
            assert (await room.ended("a")).code == 3

    play(room, script)


def test_a_caller_that_is_cancelled_stops_no_start(room: Room) -> None:
    async def script(room: Room) -> None:
        launching = asyncio.ensure_future(room.launch("a", "sh", "-c", "echo hi; exit 4"))
        await asyncio.sleep(0.002)
        launching.cancel()
        assert (await room.ended("a")).code == 4
        assert room.logged("a") == "hi\n"

    play(room, script)
