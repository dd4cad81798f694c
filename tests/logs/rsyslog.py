"""A real rsyslogd with ports, sockets and files of its own."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PROGRAM = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")

_CONFIGURATION = """
global(workDirectory="{directory}" maxMessageSize="64k")
module(load="imudp")
module(load="imtcp")
module(load="imuxsock" SysSock.Use="off")
input(type="imudp" address="127.0.0.1" port="{port}")
input(type="imtcp" address="127.0.0.1" port="{port}")
input(type="imuxsock" Socket="{directory}/log" CreatePath="off" UseSysTimeStamp="off" RateLimit.Interval="0")
template(name="fields" type="string"
    string="%syslogfacility-text%|%syslogseverity-text%|%app-name%|%procid%|%hostname%|%timereported:::date-rfc3339%|%msg%\\n")
action(type="omfile" file="{directory}/received" template="fields")
"""


class Rsyslog:
    """Writes each message as "facility|severity|program|process|host|time|text"."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory
        self.port = _free_port()
        configuration = _CONFIGURATION.format(directory=directory, port=self.port)
        (directory / "conf").write_text(configuration)
        self.start()

    def start(self) -> None:
        """At the same addresses as before."""
        assert PROGRAM is not None
        with open(self.directory / "said", "ab") as said:
            self._process = subprocess.Popen(
                [PROGRAM, "-n", "-f", self.directory / "conf", "-i", self.directory / "pid"],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self.directory / "said").read_text()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError("rsyslogd does not listen")

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)

    def fields(self) -> list[list[str]]:
        try:
            text = (self.directory / "received").read_text(errors="replace")
        except FileNotFoundError:
            return []
        return [line.split("|", 6) for line in text.splitlines()]

    def texts(self) -> list[str]:
        # RFC 3164 takes the blank after the colon to be part of the text.
        return [fields[6].removeprefix(" ") for fields in self.fields()]


def _free_port() -> int:
    """One that both TCP and UDP have free."""
    while True:
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            stream.bind(("127.0.0.1", 0))
            port = int(stream.getsockname()[1])
            try:
                datagrams.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
