"""What people do with the docker CLI, unmodified, on our engine."""

import json
import re
import subprocess
import time
from pathlib import Path

import pytest
from tests.engine.engine import IMAGE, Engine, wait_for


def test_run_prints_and_passes_on_the_exit_code(engine: Engine) -> None:
    done = engine.docker("run", "--rm", IMAGE, "sh", "-c", "echo out; echo err >&2; exit 7", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")
    assert engine.get("/containers/json?all=1") == []


def test_stdin_reaches_its_end_and_what_follows_is_not_lost(engine: Engine) -> None:
    done = engine.docker(
        "run", "--rm", "-i", IMAGE, "sh", "-c", "cat; echo done; exit 3", input=b"in", check=False
    )
    assert (done.returncode, done.stdout) == (3, b"indone\n")


def test_megabytes_pass_through(engine: Engine) -> None:
    data = bytes(range(256)) * (4 << 12)
    assert engine.docker("run", "--rm", "-i", IMAGE, "cat", input=data).stdout == data


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["/no/such"], 127, 'exec: "/no/such"'),
        (["nosuch"], 127, 'exec: "nosuch": executable file not found in $PATH'),
        (["/etc/passwd"], 126, "permission denied"),
    ],
)
def test_a_process_that_cannot_start(engine: Engine, words: list[str], code: int, said: str) -> None:
    done = engine.docker("run", "--rm", IMAGE, *words, check=False)
    assert done.returncode == code
    assert said in done.stderr.decode()
    assert wait_for(lambda: engine.get("/containers/json?all=1") == [])


def test_an_unknown_image(engine: Engine) -> None:
    done = engine.docker("run", "nosuch/image:1", check=False)
    assert done.returncode == 125
    assert b"Unable to find image 'nosuch/image:1' locally" in done.stderr


def test_the_life_of_a_container(engine: Engine) -> None:
    name = engine.docker(
        "create", "--name", "life", IMAGE, "sh", "-c", "echo hello; sleep 100"
    ).stdout.strip()
    assert len(name) == 64
    engine.docker("start", "life")
    wait_for(lambda: engine.docker("logs", "life").stdout == b"hello\n")
    assert b"Up " in engine.docker("ps").stdout
    engine.docker("rename", "life", "afterlife")
    assert (
        engine.docker("inspect", "-f", "{{.State.Status}} {{.Name}}", "afterlife").stdout
        == b"running /afterlife\n"
    )
    refused = engine.docker("rm", "afterlife", check=False)
    assert refused.returncode == 1
    assert b"container is running" in refused.stderr
    engine.docker("kill", "afterlife")
    assert engine.docker("wait", "afterlife").stdout == b"137\n"
    engine.docker("restart", "-t", "0", "afterlife")
    engine.docker("stop", "-t", "0", "afterlife")
    assert b"Exited (137)" in engine.docker("ps", "-a").stdout
    engine.docker("rm", "afterlife")
    assert b"No such container" in engine.docker("inspect", "afterlife", check=False).stderr.replace(
        b"object", b"container"
    )


def test_a_name_is_taken_once(engine: Engine) -> None:
    engine.docker("create", "--name", "one", IMAGE)
    done = engine.docker("create", "--name", "one", IMAGE, check=False)
    assert b'The container name "/one" is already in use by container' in done.stderr


def test_exec(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "host", "-e", "A=1", IMAGE, "sleep", "100")
    done = engine.docker(
        "exec",
        "-i",
        "-e",
        "B=2",
        "-w",
        "/tmp",
        "-u",
        "1:1",
        "host",
        "sh",
        "-c",
        "cat; echo $A$B; pwd; id -u; exit 5",
        input=b"in:",
        check=False,
    )
    assert (done.returncode, done.stdout) == (5, b"in:12\n/tmp\n1\n")
    missing = engine.docker("exec", "host", "nosuch", check=False)
    assert missing.returncode == 127
    assert b"executable file not found in $PATH" in missing.stdout + missing.stderr
    engine.docker("exec", "-d", "host", "touch", "/made")
    wait_for(lambda: engine.docker("exec", "host", "ls", "/made", check=False).returncode == 0)


def test_logs_by_every_parameter(engine: Engine) -> None:
    engine.docker(
        "run", "--name", "log", IMAGE, "sh", "-c", "for i in 1 2 3 4; do echo o$i; done; echo e >&2"
    )
    assert engine.docker("logs", "--tail", "2", "log").stdout in (b"o4\n", b"o3\no4\n")
    both = engine.docker("logs", "log")
    assert (both.stdout, both.stderr) == (b"o1\no2\no3\no4\n", b"e\n")
    stamped = engine.docker("logs", "-t", "log").stdout.decode().splitlines()[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z o1", stamped)
    assert engine.docker("logs", "--since", "1h", "log").stdout == both.stdout
    assert engine.docker("logs", "--until", "1h", "log").stdout == b""


def test_logs_follow_to_the_end(engine: Engine) -> None:
    engine.docker(
        "run", "-d", "--name", "fol", IMAGE, "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.2; done"
    )
    assert engine.docker("logs", "-f", "fol").stdout == b"1\n2\n3\n"


def test_attach_to_a_running_container(engine: Engine) -> None:
    engine.docker("run", "-d", "-i", "--name", "att", IMAGE, "sh", "-c", "read x; echo got $x")
    assert engine.docker("attach", "att", input=b"this\n").stdout == b"got this\n"


def test_images(engine: Engine, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    busybox = subprocess.run(["which", "busybox"], check=True, capture_output=True).stdout.decode().strip()
    subprocess.run(["cp", busybox, root / "bin" / "busybox"], check=True)
    tar = subprocess.run(["tar", "-C", root, "-c", "."], check=True, capture_output=True).stdout
    image_id = (
        engine.docker("import", "-c", 'CMD ["/bin/busybox","echo","hi"]', "-", "mine:1", input=tar)
        .stdout.decode()
        .strip()
    )
    assert image_id.startswith("sha256:")
    assert engine.docker("run", "--rm", "mine:1").stdout == b"hi\n"
    engine.docker("tag", "mine:1", "mine:2")
    listed = [
        json.loads(line) for line in engine.docker("images", "--format", "{{json .}}").stdout.splitlines()
    ]
    assert {(entry["Repository"], entry["Tag"]) for entry in listed} >= {("mine", "1"), ("mine", "2")}
    assert engine.docker("rmi", "mine:1").stdout == b"Untagged: mine:1\n"
    engine.docker("create", "--name", "user", "mine:2")
    assert b"conflict: unable to " in engine.docker("rmi", "mine:2", check=False).stderr
    engine.docker("rm", "user")
    assert f"Deleted: {image_id}".encode() in engine.docker("rmi", "mine:2").stdout


def test_version_and_info(engine: Engine) -> None:
    shown = json.loads(engine.docker("version", "--format", "{{json .}}").stdout)
    assert shown["Server"]["ApiVersion"] == "1.51"
    runtime = shown["Server"]["Components"][1]
    assert runtime["Name"] in ("crun", "runc")
    assert runtime["Version"][0].isdigit()
    info = json.loads(engine.docker("info", "--format", "{{json .}}").stdout)
    assert info["ServerErrors"] is None if "ServerErrors" in info else True
    assert info["OSType"] == "linux"


def test_events_are_told_and_replayed(engine: Engine) -> None:
    engine.docker("run", "--name", "ev", "--label", "x=1", IMAGE, "true")
    engine.docker("rm", "ev")
    shown = (
        engine.docker(
            "events",
            "--since",
            "1m",
            "--until",
            f"{time.time():.9f}",
            "--filter",
            "container=ev",
            "--format",
            "{{.Action}}",
        )
        .stdout.decode()
        .split()
    )
    assert [action for action in shown if action not in ("attach",)] == ["create", "start", "die", "destroy"]


def test_isolation_by_default(engine: Engine) -> None:
    script = (
        "grep -E '^(CapEff|Seccomp):' /proc/self/status; mount -t tmpfs x /mnt; echo $?; hostname; echo $$"
    )
    lines = (
        engine.docker("run", "--rm", "--hostname", "inside", IMAGE, "sh", "-c", script)
        .stdout.decode()
        .split("\n")
    )
    assert "CapEff:\t00000000a80425fb" in lines
    assert "Seccomp:\t2" in lines
    assert "inside" in lines
    assert "1" in lines
    assert "0" not in lines


@pytest.mark.parametrize(
    ("flags", "script", "expected"),
    [
        (["--read-only"], "touch /x 2>&1 | grep -c 'Read-only'", "1"),
        (["-u", "12:34"], "id -u; id -g", "12\n34"),
        (["-w", "/some/dir"], "pwd", "/some/dir"),
        (["-e", "A=b c"], 'echo "$A"', "b c"),
        (["--tmpfs", "/t:size=1m"], "grep ' /t ' /proc/mounts | grep -o 'size=[0-9]*k'", "size=1024k"),
        (["--cap-drop", "ALL"], "grep CapEff /proc/self/status", "CapEff:\t0000000000000000"),
        (["--cap-add", "NET_ADMIN"], "ip link set lo down && echo ok", "ok"),
        (["--security-opt", "no-new-privileges"], "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1"),
        (["--security-opt", "seccomp=unconfined"], "grep Seccomp: /proc/self/status", "Seccomp:\t0"),
        (["--privileged"], "grep CapEff /proc/self/status | grep -v 00000000a80425fb | wc -l", "1"),
        (["--init"], "cat /proc/1/cmdline | tr '\\0' ' ' | grep -c init", "1"),
        (["--network", "none"], "ls /sys/class/net", "lo"),
        (["--add-host", "db:10.0.0.9"], "grep -w db /etc/hosts", "10.0.0.9\tdb"),
        (["--dns", "10.9.9.9"], "cat /etc/resolv.conf | grep nameserver", "nameserver 10.9.9.9"),
    ],
)
def test_run_flags_have_their_effect(engine: Engine, flags: list[str], script: str, expected: str) -> None:
    done = engine.docker("run", "--rm", *flags, IMAGE, "sh", "-c", script)
    assert done.stdout.decode().strip() == expected


def test_limits_reach_the_cgroup(engine: Engine) -> None:
    engine.docker(
        "run",
        "-d",
        "--name",
        "limits",
        "-m",
        "64m",
        "--cpus",
        "0.5",
        "--pids-limit",
        "20",
        IMAGE,
        "sleep",
        "100",
    )
    pid = engine.get("/containers/limits/json")["State"]["Pid"]
    lines = Path(f"/proc/{pid}/cgroup").read_text().split()
    paths = {name: line.split(":", 2)[2] for line in lines for name in line.split(":")[1].split(",")}
    if "memory" in paths:
        root = Path("/sys/fs/cgroup")
        assert (root / f"memory{paths['memory']}/memory.limit_in_bytes").read_text().strip() == str(64 << 20)
        assert (root / f"cpu{paths['cpu']}/cpu.cfs_quota_us").read_text().strip() == "50000"
        assert (root / f"pids{paths['pids']}/pids.max").read_text().strip() == "20"
    else:
        root = Path(f"/sys/fs/cgroup{paths['']}")
        assert (root / "memory.max").read_text().strip() == str(64 << 20)
        assert (root / "cpu.max").read_text().split() == ["50000", "100000"]
        assert (root / "pids.max").read_text().strip() == "20"


def test_bind_mounts(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("from outside")
    done = engine.docker(
        "run", "--rm", "-v", f"{tmp_path}:/m", IMAGE, "sh", "-c", "cat /m/file; echo inside > /m/new"
    )
    assert done.stdout == b"from outside"
    assert (tmp_path / "new").read_text() == "inside\n"
    refused = engine.docker("run", "--rm", "-v", f"{tmp_path}:/m:ro", IMAGE, "touch", "/m/x", check=False)
    assert b"Read-only file system" in refused.stderr
    bad = engine.docker("run", "--rm", "--mount", "type=bind,src=/no/such/dir,dst=/m", IMAGE, check=False)
    assert (bad.returncode, b"bind source path does not exist: /no/such/dir" in bad.stderr) == (125, True)


def test_a_container_joins_the_network_of_another(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "first", IMAGE, "sleep", "100")
    ours = engine.docker("exec", "first", "ip", "-o", "addr", "show", "eth0").stdout
    theirs = engine.docker(
        "run", "--rm", "--network", "container:first", IMAGE, "ip", "-o", "addr", "show", "eth0"
    ).stdout
    assert ours
    assert ours == theirs


def test_the_host_network(engine: Engine) -> None:
    shown = (
        engine.docker("run", "--rm", "--network", "host", IMAGE, "ls", "/sys/class/net")
        .stdout.decode()
        .split()
    )
    assert engine.bridge in shown
