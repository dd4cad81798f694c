"""Log drivers as users know them: the docker CLI, real log servers, and an engine that dies."""

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from tests.engine.engine import IMAGE, Engine, wait_for
from tests.logs.rsyslog import PROGRAM, Rsyslog
from tests.logs.servers import Server

rsyslogd = pytest.mark.skipif(PROGRAM is None, reason="there is no rsyslogd")


@pytest.fixture
def syslog(tmp_path: Path) -> Iterator[Rsyslog]:
    server = Rsyslog(tmp_path / "rsyslog")
    yield server
    server.stop()


def count_to(number: int, pause: str = "") -> tuple[str, ...]:
    words = f"i=0; while [ $i -lt {number} ]; do echo line $i; i=$((i+1)); {pause} done"
    return ("sh", "-c", words)


def lines(start: int, end: int) -> list[str]:
    return [f"line {number}" for number in range(start, end)]


@rsyslogd
@pytest.mark.parametrize(
    ("network", "form"),
    [
        ("udp", "rfc3164"),
        ("udp", "rfc5424micro"),
        ("tcp", "rfc3164"),
        ("tcp", "rfc5424"),
        # What a host's own socket understands has no host's name in it, and is the default.
        ("unixgram", ""),
    ],
)
def test_rsyslog_understands_every_format(engine: Engine, syslog: Rsyslog, network: str, form: str) -> None:
    socket = f"{syslog.directory}/log"
    address = f"unixgram://{socket}" if network == "unixgram" else f"{network}://127.0.0.1:{syslog.port}"
    engine.docker(
        "run", "--name", "talk", "--log-driver", "syslog", "--log-opt", f"syslog-address={address}",
        "--log-opt", f"syslog-format={form}", "--log-opt", "tag=shop-{{.Name}}", "--log-opt",
        "syslog-facility=local3", IMAGE, "sh", "-c", "echo hello; sleep .05; echo 'no, sir' >&2",
    )  # fmt: skip
    got = wait_for(lambda: len(syslog.fields()) == 2 and syslog.fields())
    pid = str(engine.process.pid) if engine.process else ""
    assert [fields[:5] for fields in got] == [
        ["local3", "info", "shop-talk", pid, os.uname().nodename],
        ["local3", "err", "shop-talk", pid, os.uname().nodename],
    ]
    assert syslog.texts() == ["hello", "no, sir"]
    assert abs(time.time() - datetime.fromisoformat(got[0][5]).timestamp()) < 60
    # What went to the server can be read here all the same.
    done = engine.docker("logs", "talk")
    assert (done.stdout, done.stderr) == (b"hello\n", b"no, sir\n")


@rsyslogd
def test_nothing_is_lost_while_the_server_is_away(engine: Engine, syslog: Rsyslog) -> None:
    engine.docker(
        "run", "-d", "--name", "count", "--log-driver", "syslog",
        "--log-opt", f"syslog-address=tcp://127.0.0.1:{syslog.port}", "--log-opt", "syslog-format=rfc5424",
        IMAGE, *count_to(200, "usleep 10000;"),
    )  # fmt: skip
    wait_for(lambda: len(syslog.texts()) > 30)
    syslog.stop()
    time.sleep(1)
    syslog.start()
    wait_for(lambda: set(syslog.texts()) >= set(lines(0, 200)))
    assert engine.docker("logs", "count").stdout.decode().splitlines() == lines(0, 200)


@rsyslogd
def test_nothing_is_lost_when_the_engine_is_killed(
    new_engine: Callable[..., Engine], syslog: Rsyslog
) -> None:
    engine = new_engine()
    options: tuple[str, ...] = (
        "--log-driver",
        "syslog",
        "--log-opt",
        f"syslog-address=tcp://127.0.0.1:{syslog.port}",
    )
    options = (*options, "--log-opt", "syslog-format=rfc5424", "--log-opt", "tag={{.Name}}")
    engine.docker("run", "-d", "--name", "long", *options, IMAGE, *count_to(400, "usleep 10000;"))
    engine.docker("run", "-d", "--rm", "--name", "short", *options, IMAGE, *count_to(100, "usleep 10000;"))
    wait_for(lambda: len(syslog.texts()) > 100)
    engine.kill()
    # One ends, and is to be removed, while nobody is there to send what it prints.
    time.sleep(1.5)
    engine.start()

    def texts(name: str) -> list[str]:
        return [fields[6] for fields in syslog.fields() if fields[2] == name]

    for name, count in (("short", 100), ("long", 400)):
        wait_for(lambda name=name, count=count: set(texts(name)) >= set(lines(0, count)))
        # At most what was sent within the last seconds came twice.
        assert len(texts(name)) <= count + 250
    # What comes on a sound connection comes once.
    assert texts("long")[-100:] == lines(300, 400)


def test_a_container_that_removes_itself_is_sent_to_its_end(engine: Engine) -> None:
    server = Server("stream")
    engine.docker(
        "run", "--rm", "--log-driver", "fluentd", "--log-opt", f"fluentd-address=127.0.0.1:{server.port}",
        "--log-opt", "tag=t.{{.Name}}", "--log-opt", "env=TIER", "-e", "TIER=front", "--name", "brief",
        IMAGE, *count_to(2000),
    )  # fmt: skip
    wait_for(lambda: len(server.messages()) == 2000)
    tag, moment, event, option = server.messages()[-1]
    assert (tag, option, event["log"], event["TIER"]) == ("t.brief", {}, "line 1999", "front")
    assert (event["container_name"], event["source"]) == ("/brief", "stdout")
    assert abs(time.time() - moment) < 60
    server.stop()


def test_what_was_sent_is_not_sent_again_after_a_restart(engine: Engine) -> None:
    server = Server("stream")
    engine.docker(
        "run", "-d", "--name", "again", "--log-driver", "fluentd", "--log-opt",
        f"fluentd-address=127.0.0.1:{server.port}", IMAGE, "sh", "-c", "echo start $$; date +%N; sleep 100",
    )  # fmt: skip
    for count in (2, 4, 6):
        wait_for(lambda count=count: len(server.messages()) == count)
        engine.docker("restart", "-t", "0", "again")
    wait_for(lambda: len(server.messages()) >= 8)
    read = engine.docker("logs", "again").stdout.decode().splitlines()
    assert [message[2]["log"] for message in server.messages()] == read
    server.stop()


def test_without_its_server_a_container_does_not_start(engine: Engine) -> None:
    gone = Server("stream")
    gone.stop()
    where = f"127.0.0.1:{gone.port}"
    done = engine.docker(
        "run", "--name", "alone", "--log-driver", "fluentd", "--log-opt", f"fluentd-address={where}",
        IMAGE, "true", check=False,
    )  # fmt: skip
    assert done.returncode == 125
    assert (
        "Error response from daemon: failed to create task for container: "
        f"failed to initialize logging driver: dial tcp {where}: connect: connection refused"
    ) in done.stderr.decode()
    state = engine.get("/containers/alone/json")["State"]
    assert (state["Status"], state["ExitCode"]) == ("created", 128)
    engine.docker(
        "run", "--log-driver", "fluentd", "--log-opt", f"fluentd-address={where}",
        "--log-opt", "fluentd-async=true", IMAGE, "true",
    )  # fmt: skip


def test_what_the_clients_see(engine: Engine) -> None:
    server = Server("datagram")
    options = {"gelf-address": f"udp://127.0.0.1:{server.port}", "gelf-compression-type": "none"}
    container = engine.py.containers.run(
        IMAGE, ["echo", "hi"], detach=True, log_config={"Type": "gelf", "Config": options}
    )
    container.wait()
    wait_for(lambda: server.datagrams)
    message = json.loads(server.datagrams[0])
    assert (message["short_message"], message["_container_id"]) == ("hi", container.id)
    assert message["_created"] == engine.get(f"/containers/{container.id}/json")["Created"]
    container.reload()
    assert container.attrs["HostConfig"]["LogConfig"] == {"Type": "gelf", "Config": options}
    assert container.attrs["LogPath"] == ""
    assert container.logs() == b"hi\n"
    known = {"fluentd", "gelf", "journald", "json-file", "local", "splunk", "syslog"}
    assert known <= set(engine.py.info()["Plugins"]["Log"])
    server.stop()


def test_a_log_without_cache_cannot_be_read(engine: Engine) -> None:
    server = Server("datagram")
    engine.docker(
        "run", "--name", "secret", "--log-driver", "gelf", "--log-opt",
        f"gelf-address=udp://127.0.0.1:{server.port}", "--log-opt", "cache-disabled=true",
        IMAGE, "echo", "hi",
    )  # fmt: skip
    wait_for(lambda: server.datagrams)
    done = engine.docker("logs", "secret", check=False)
    assert b"configured logging driver does not support reading" in done.stderr
    server.stop()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--log-driver", "syslog", "--log-opt", "max-size=1m"),
            "unknown log opt 'max-size' for syslog log driver",
        ),
        (("--log-driver", "gelf"), "gelf-address is a required parameter"),
        (("--log-driver", "awslogs"), "logger: no log driver named 'awslogs' is registered"),
    ],
)
def test_what_is_refused(engine: Engine, words: tuple[str, ...], said: str) -> None:
    done = engine.docker("create", *words, IMAGE, "true", check=False)
    assert done.returncode == 1
    assert f"Error response from daemon: {said}" in done.stderr.decode()


def test_the_daemon_chooses_where_nobody_does(tmp_path: Path, new_engine: Callable[..., Engine]) -> None:
    server = Server("stream")
    (tmp_path / "engine0").mkdir()
    address = f"127.0.0.1:{server.port}"
    settings = {
        "log-driver": "fluentd",
        "log-opts": {"fluentd-address": address, "tag": "all", "cache-max-file": "2"},
    }
    (tmp_path / "engine0" / "daemon.json").write_text(json.dumps(settings))
    engine = new_engine()
    engine.docker(
        "run", "--name", "one", "--log-opt", "labels=team", "--label", "team=blue", IMAGE, "echo", "1"
    )
    engine.docker("run", "--name", "two", "--log-driver", "json-file", IMAGE, "echo", "2")
    wait_for(lambda: server.messages())
    assert [(message[0], message[2]["log"], message[2]["team"]) for message in server.messages()] == [
        ("all", "1", "blue")
    ]
    log = engine.get("/containers/two/json")["HostConfig"]["LogConfig"]
    assert log == {"Type": "json-file", "Config": {"cache-max-file": "2"}}
    assert engine.py.info()["LoggingDriver"] == "fluentd"
    server.stop()
