"""How fast names on a user-defined network are answered."""

import os
import subprocess
import sys
from pathlib import Path

from bench import image
from bench.engines import Engine

QUERIES = 20_000
_DEPTH = 8
_NETWORK = "bench-names"
_COMMAND = ("sleep", "86401")


def answers(engine: Engine) -> tuple[float, float]:
    """Seconds for all queries of one container for another, and milliseconds of the slowest in a hundred.

    Raises RuntimeError where the name is not found.
    """
    client = engine.client()
    client.call("POST", "/networks/create", {"Name": _NETWORK})
    made = []
    for name in ("asked", "asking"):
        wish = {"Image": image.NAME, "Cmd": list(_COMMAND), "HostConfig": {"NetworkMode": _NETWORK}}
        made.append(str(client.json("POST", f"/containers/create?name={name}", wish)["Id"]))
        client.call("POST", f"/containers/{made[-1]}/start")
    try:
        pid = _outside(int(client.json("GET", f"/containers/{made[-1]}/json")["State"]["Pid"]))
        program = os.fspath(Path(__file__).with_name("queries.py"))
        asking = ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-I", program]
        done = subprocess.run([*asking, str(QUERIES), str(_DEPTH), "asked"], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{engine.name} did not answer: {done.stderr.strip()}")
        seconds, slow = map(float, done.stdout.split())
        return seconds, slow
    finally:
        for container in made:
            client.call("DELETE", f"/containers/{container}?force=1")
        client.call("DELETE", f"/networks/{_NETWORK}")
        client.close()


def _outside(pid: int) -> int:
    """The number here of a process that is `pid` in an engine's enclosure. Raises RuntimeError."""
    for entry in os.listdir("/proc"):
        if not entry.isdecimal():
            continue
        try:
            command = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
            status = Path(f"/proc/{entry}/status").read_text()
        except OSError:
            continue
        numbers = next(line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:"))
        if len(numbers) > 1 and int(numbers[1]) == pid and command[1:2] == [_COMMAND[1].encode()]:
            return int(entry)
    raise RuntimeError(f"process {pid} is not to be found from outside")
