"""A real systemd-journald, in a mount namespace where /run is its own."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

PROGRAM = "/lib/systemd/systemd-journald"
PRESENT = (
    os.path.exists(PROGRAM) and shutil.which("journalctl") is not None and shutil.which("unshare") is not None
)

_SCRIPT = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journald.conf.d /run/log/journal
printf '[Journal]\\nStorage=volatile\\nReadKMsg=no\\nAudit=no\\nForwardToSyslog=no\\n' \\
    >/run/systemd/journald.conf.d/test.conf
exec {program}
"""


class Journald:
    """Its socket and its files are reached through the process's own view of the file system."""

    def __init__(self, directory: Path) -> None:
        self._said = directory / "journald-said"
        with open(self._said, "wb") as said:
            self._process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", _SCRIPT.format(program=PROGRAM)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        self.root = f"/proc/{self._process.pid}/root"
        self.socket = f"{self.root}/run/systemd/journal/socket"
        deadline = time.monotonic() + 15
        while not os.path.exists(self.socket):
            assert self._process.poll() is None, self._said.read_text()
            assert time.monotonic() < deadline, "journald does not listen"
            time.sleep(0.01)

    def entries(self) -> list[dict[str, Any]]:
        """What came of containers."""
        shown = subprocess.run(
            ["journalctl", "--directory", f"{self.root}/run/log/journal", "--all", "-o", "json"],
            capture_output=True,
            check=False,
        )
        found = [json.loads(line) for line in shown.stdout.splitlines()]
        return [entry for entry in found if "CONTAINER_ID" in entry]

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)
