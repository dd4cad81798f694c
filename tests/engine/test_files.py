"""The file systems of containers: docker cp, export and diff, and what must not get out of them."""

import base64
import bz2
import errno
import gzip
import http.client
import io
import json
import lzma
import os
import socket
import stat
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from docker.errors import APIError, NotFound
from tests.engine.engine import IMAGE, Engine, since_cli, wait_for

from lading.containers.tree import Bind, tree
from lading.linux import mounts

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need root")

TREE = (
    "mkdir -p /d/sub && echo hi > /d/f && ln /d/f /d/hard && ln -s f /d/soft && ln -s /d/f /link && "
    "ln -s d /dl && mkfifo /d/pipe && chmod 4750 /d/f && chown -h 7:8 /d/soft && "
    "touch -d @1000000000 /d/f && echo v > /vol/v && truncate -s 60M /pad"
)


@pytest.fixture(params=["running", "stopped"])
def container(engine: Engine, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A container with a volume and some files in it."""
    engine.docker(
        "run", "-d", "--name", "c1", "-v", "/vol", IMAGE, "sh", "-c", f"{TREE}; touch /ready; sleep 1000"
    )
    engine.docker("exec", "c1", "sh", "-c", "until [ -e /ready ]; do sleep 0.01; done")
    if request.param == "stopped":
        engine.docker("kill", "c1")
        engine.docker("wait", "c1")
    return "c1"


@pytest.fixture
def sleeper(engine: Engine) -> str:
    """A running container."""
    engine.docker("run", "-d", "--name", "c1", IMAGE, "sleep", "1000")
    return "c1"


def packed(*members: tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member in members:
            entry, data = member if isinstance(member, tuple) else (member, b"")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def compressed(mode: str, *members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    plain = packed(*members)
    if mode == "gz":
        return gzip.compress(plain)
    return bz2.compress(plain) if mode == "bz2" else lzma.compress(plain)


def member(name: str, kind: bytes = tarfile.REGTYPE, **fields: Any) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type = kind
    for field, value in fields.items():
        setattr(entry, field, value)
    return entry


def put(engine: Engine, archive: bytes, path: str = "/", **query: str) -> tuple[int, str]:
    """PUT of an archive into c1: the status and the message."""
    connection = http.client.HTTPConnection("localhost", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(engine.socket))
    connection.request("PUT", f"/containers/c1/archive?{urlencode({'path': path, **query})}", archive)
    answer = connection.getresponse()
    raw = answer.read()
    connection.close()
    return answer.status, json.loads(raw)["message"] if raw else ""


def path_stat(engine: Engine, path: str, method: str = "HEAD") -> dict[str, Any]:
    connection = http.client.HTTPConnection("localhost", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(engine.socket))
    connection.request(method, f"/containers/c1/archive?{urlencode({'path': path})}")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 200
    found: dict[str, Any] = json.loads(base64.b64decode(answer.headers["X-Docker-Container-Path-Stat"]))
    return found


def names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return opened.getnames()


def in_container(engine: Engine, script: str) -> str:
    return engine.docker("exec", "c1", "sh", "-c", script).stdout.decode()


# --- out of containers


def test_a_tree_comes_out_as_it_is(engine: Engine, container: str, tmp_path: Path) -> None:
    stream = engine.docker("cp", f"{container}:/d", "-").stdout
    with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
        found = {entry.name: entry for entry in archive}
        assert sorted(found) == ["d", "d/f", "d/hard", "d/pipe", "d/soft", "d/sub"]
        assert archive.extractfile("d/hard").read() == b"hi\n"  # type: ignore[union-attr]
    assert found["d/hard"].islnk()
    assert found["d/hard"].linkname == "d/f"
    assert found["d/pipe"].isfifo()
    soft = found["d/soft"]
    assert (soft.linkname, soft.uid, soft.gid) == ("f", 7, 8)
    assert (found["d/f"].mode, found["d/f"].mtime) == (0o4750, 1_000_000_000)


@pytest.mark.parametrize("client", [pytest.param("docker", marks=since_cli(25)), "lading"])
def test_the_clients_write_files_and_volumes(
    engine: Engine, container: str, tmp_path: Path, client: str
) -> None:
    run = getattr(engine, client)
    run("cp", f"{container}:/d/.", str(tmp_path / "new"))
    copy = tmp_path / "new" / "f"
    assert copy.read_bytes() == b"hi\n"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o4750
    assert copy.stat().st_ino == (tmp_path / "new" / "hard").stat().st_ino
    run("cp", f"{container}:/vol/v", str(tmp_path))
    assert (tmp_path / "v").read_bytes() == b"v\n"
    run("cp", "-L", f"{container}:/link", str(tmp_path))
    assert (tmp_path / "link").read_bytes() == b"hi\n"
    run("cp", f"{container}:/link", str(tmp_path / "as-link"))
    assert os.readlink(tmp_path / "as-link") == "/d/f"
    missing = run("cp", f"{container}:/none", str(tmp_path), check=False)
    said = b"Error response from daemon: Could not find the file /none in container c1\n"
    assert (missing.returncode, missing.stderr) == (1, said)


def test_the_files_docker_gives_come_out_with_their_content(engine: Engine, container: str) -> None:
    text = engine.docker("cp", f"{container}:/etc/hosts", "-").stdout
    assert b"127.0.0.1\tlocalhost" in text


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/d/sub", ["sub"]),
        ("/d/sub/", ["sub"]),
        ("/d/sub/.", ["."]),
        ("d/f", ["f"]),
        ("/dl/sub", ["sub"]),
        ("/dl", ["dl"]),
        ("/dl/", ["dl", "dl/f", "dl/hard", "dl/pipe", "dl/soft", "dl/sub"]),
        ("/d/../d/sub", ["sub"]),
        ("/../../d/sub", ["sub"]),
    ],
)
def test_names_follow_the_path_asked_for(engine: Engine, path: str, shown: list[str]) -> None:
    engine.docker("run", "--name", "c1", "-v", "/vol", IMAGE, "sh", "-c", TREE)
    pieces, _ = engine.py.containers.get("c1").get_archive(path)
    assert names(b"".join(pieces)) == shown


def test_what_a_path_leads_to(engine: Engine, container: str) -> None:
    found = path_stat(engine, "/d/f")
    setuid = 1 << 23
    assert found == {
        "name": "f",
        "size": 3,
        "mode": setuid | 0o750,
        "mtime": "2001-09-09T01:46:40Z",
        "linkTarget": "",
    }
    link = path_stat(engine, "/link", method="GET")
    assert (link["mode"] >> 27 & 1, link["linkTarget"]) == (1, "/d/f")
    assert path_stat(engine, "/dl")["linkTarget"] == "/d"
    assert path_stat(engine, "/dl/.")["mode"] >> 31 == 1
    assert path_stat(engine, "/")["name"] == "/"
    assert path_stat(engine, "/vol/v")["size"] == 2


def test_what_cannot_be_asked_for(engine: Engine, sleeper: str) -> None:
    assert engine.api("GET", "/containers/c1/archive")[0] == 400
    assert engine.api("GET", "/containers/c1/archive?path=/x%00y")[0] == 400
    assert engine.api("GET", f"/containers/c1/archive?path=/{'x' * 300}")[0] == 400
    assert engine.api("GET", f"/containers/c1/archive?path=/{'x/' * 3000}")[0] == 400
    assert engine.api("GET", "/containers/c1/archive?path=/etc/passwd/x")[0] == 400
    assert engine.api("HEAD", "/containers/none/archive?path=/")[0] == 404
    status, answer = engine.api("GET", "/containers/c1/archive?path=/no/such")
    assert (status, answer["message"]) == (404, "Could not find the file /no/such in container c1")


# --- into containers


@pytest.mark.parametrize("client", ["docker", "lading"])
def test_trees_go_in_and_come_back_the_same(
    engine: Engine, container: str, tmp_path: Path, client: str
) -> None:
    run = getattr(engine, client)
    source = tmp_path / "s"
    (source / "deep" / "er").mkdir(parents=True)
    (source / "deep" / "a").write_bytes(os.urandom(3_000_000))
    os.link(source / "deep" / "a", source / "b")
    (source / "l").symlink_to("deep/a")
    (source / ("n" * 200)).write_text("long name")
    os.mknod(source / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.setxattr(source / "b", "user.kept", b"yes")
    os.chown(source / "deep" / "er", 11, 12)
    os.chmod(source / "deep" / "er", 0o2711)
    run("cp", str(source), f"{container}:/vol/in")
    run("cp", f"{container}:/vol/in", str(tmp_path / "back"))
    # docker's own client leaves attributes of users behind.
    attributes = client == "lading"
    assert _described(tmp_path / "back", attributes) == _described(source, attributes)
    with tarfile.open(fileobj=io.BytesIO(engine.docker("cp", f"{container}:/vol/in", "-").stdout)) as archive:
        entry = archive.getmember("in/deep/er")
        assert (entry.uid, entry.gid, entry.mode) == (11, 12, 0o2711)
        assert archive.getmember("in/null").devminor == 3


def _described(top: Path, attributes: bool) -> list[Any]:
    found = []
    for path in sorted(top.rglob("*")):
        shown = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        link = os.readlink(path) if path.is_symlink() else ""
        kept = os.getxattr(path, "user.kept") if attributes and path.name == "b" else b""
        mode = 0 if path.is_symlink() else shown.st_mode
        links = 0 if path.is_dir() else shown.st_nlink
        found.append((str(path.relative_to(top)), mode, links, int(shown.st_mtime), content, link, kept))
    return found


def test_docker_py_puts_and_gets(engine: Engine, container: str) -> None:
    handle = engine.py.containers.get(container)
    assert handle.put_archive("/d", packed((member("x/y"), b"data")))
    pieces, found = handle.get_archive("/d/x")
    assert names(b"".join(pieces)) == ["x", "x/y"]
    assert found["name"] == "x"
    with pytest.raises(NotFound):
        handle.put_archive("/none", b"")
    with pytest.raises(APIError, match="extraction point is not a directory"):
        handle.put_archive("/d/f", b"")


@pytest.mark.parametrize("mode", ["gz", "bz2", "xz"])
def test_compressed_archives(engine: Engine, sleeper: str, mode: str) -> None:
    engine.docker("cp", "-", "c1:/tmp", input=compressed(mode, (member("f"), b"data")))
    assert in_container(engine, "cat /tmp/f") == "data"


def test_sparse_files_stay_sparse(engine: Engine, sleeper: str, tmp_path: Path) -> None:
    with open(tmp_path / "holes", "wb") as file:
        file.truncate(300 << 20)
        file.seek(200 << 20)
        file.write(b"x")
    archive = subprocess.run(
        ["tar", "cSf", "-", "-C", tmp_path, "holes"], check=True, capture_output=True
    ).stdout
    assert len(archive) < 1 << 20
    assert put(engine, archive, "/tmp")[0] == 200
    size, blocks = in_container(engine, "stat -c '%s %b' /tmp/holes").split()
    assert int(size) == 300 << 20
    assert int(blocks) < 1000


def test_kinds_are_kept_where_the_client_says_so(engine: Engine, sleeper: str) -> None:
    in_container(engine, "mkdir -p /t/dir/inside; touch /t/file")
    status, message = put(engine, packed(member("dir")), "/t", noOverwriteDirNonDir="true")
    assert (status, message) == (400, 'cannot overwrite directory "/t/dir" with non-directory "/t"')
    status, message = put(engine, packed(member("file", tarfile.DIRTYPE)), "/t", noOverwriteDirNonDir="true")
    assert (status, message) == (400, 'cannot overwrite non-directory "/t/file" with directory "/t"')
    assert put(engine, packed((member("dir"), b"now"), member("file", tarfile.DIRTYPE)), "/t")[0] == 200
    assert in_container(engine, "cat /t/dir; ls -d /t/file/") == "now/t/file/\n"
    assert in_container(engine, "ls /t") == "dir\nfile\n"


def test_the_directory_copied_into_keeps_its_owner_and_mode(engine: Engine, sleeper: str) -> None:
    in_container(engine, "mkdir /t; chown 3:4 /t; chmod 2770 /t")
    assert put(engine, packed(member("./", tarfile.DIRTYPE, mode=0o777), member("./f")), "/t")[0] == 200
    assert in_container(engine, "stat -c '%u %g %a' /t /t/f") == "3 4 2770\n0 0 644\n"


def test_copies_belong_to_the_containers_user_where_wanted(engine: Engine, tmp_path: Path) -> None:
    engine.docker("run", "-d", "--name", "c1", "--user", "12:34", IMAGE, "sleep", "1000")
    (tmp_path / "f").write_text("x")
    os.chown(tmp_path / "f", 5, 6)
    engine.docker("cp", str(tmp_path / "f"), "c1:/tmp/plain")
    engine.docker("cp", "-a", str(tmp_path / "f"), "c1:/tmp/theirs")
    assert in_container(engine, "stat -c '%u:%g' /tmp/plain /tmp/theirs") == "5:6\n12:34\n"


def test_read_only_roots_and_volumes(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    engine.docker(
        *("run", "-d", "--name", "c1", "--read-only", "-v", f"{tmp_path}/host:/ro:ro", "-v", "/rw", IMAGE),
        *("sleep", "1000"),
    )
    archive = packed((member("f"), b"x"))
    assert put(engine, archive, "/") == (400, "container rootfs is marked read-only")
    assert put(engine, archive, "/etc") == (400, "container rootfs is marked read-only")
    assert put(engine, archive, "/ro") == (400, "mounted volume is marked read-only")
    assert put(engine, archive, "/rw")[0] == 200
    # Nor by a link from where it may be written.
    through = packed(member("to-ro", tarfile.SYMTYPE, linkname="/ro"), (member("to-ro/f"), b"x"))
    assert put(engine, through, "/rw")[0] == 400
    through = packed(member("to-etc", tarfile.SYMTYPE, linkname="/etc"), (member("to-etc/f"), b"x"))
    assert put(engine, through, "/rw")[0] == 400
    assert list((tmp_path / "host").iterdir()) == []


def test_a_mounted_file_is_not_replaced(engine: Engine, sleeper: str) -> None:
    before = in_container(engine, "cat /etc/hosts")
    status, message = put(engine, packed((member("hosts"), b"mine")), "/etc")
    assert status == 400
    assert "busy" in message
    assert in_container(engine, "cat /etc/hosts") == before


def test_events_tell_of_copies(engine: Engine, sleeper: str, tmp_path: Path) -> None:
    since = time.time()
    engine.docker("cp", "c1:/etc/passwd", str(tmp_path))
    engine.docker("cp", str(tmp_path / "passwd"), "c1:/tmp")
    engine.docker("export", "-o", str(tmp_path / "all"), "c1")
    told = engine.docker(
        *("events", "--since", str(since), "--until", str(time.time() + 0.1)),
        *("--filter", "container=c1", "--format", "{{.Action}}"),
    )
    assert told.stdout.split() == [b"archive-path", b"extract-to-dir", b"export"]


# --- export and diff


@pytest.mark.parametrize("client", ["docker", "lading"])
def test_export_is_the_root_without_its_volumes(
    engine: Engine, container: str, tmp_path: Path, client: str
) -> None:
    getattr(engine, client)("export", "-o", str(tmp_path / "all.tar"), container)
    with tarfile.open(tmp_path / "all.tar") as archive:
        found = {entry.name: entry for entry in archive}
    assert {"d/f", "link", "bin/busybox", "vol"} <= set(found)
    assert "vol/v" not in found
    assert found["d/pipe"].isfifo()
    imported = engine.docker("import", str(tmp_path / "all.tar"), "again:1").stdout
    assert imported.startswith(b"sha256:")
    assert engine.docker("run", "--rm", "again:1", "cat", "/d/f").stdout == b"hi\n"
    engine.docker("rmi", "again:1")


@pytest.mark.parametrize("client", ["docker", "lading"])
def test_diff(engine: Engine, client: str) -> None:
    script = "mkdir -p /new/x; echo 1 >/new/x/f; rm -r /usr /bin/vi; chmod 600 /etc/passwd; ls /root"
    engine.docker("run", "--name", "c1", "-v", "/vol", IMAGE, "sh", "-c", script)
    shown = getattr(engine, client)("diff", "c1").stdout.decode().splitlines()
    assert shown == [
        "C /bin",
        "D /bin/vi",
        "C /etc",
        "C /etc/passwd",
        "A /new",
        "A /new/x",
        "A /new/x/f",
        "D /usr",
        "A /vol",
    ]


def test_diff_of_replaced_directories(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "c1", IMAGE, "sleep", "1000")
    assert engine.get("/containers/c1/changes") is None
    in_container(engine, "rm -r /root; mkdir -m 700 /root; rm -r /home; echo >/home; touch /etc/group")
    shown = engine.docker("diff", "c1").stdout.decode().splitlines()
    # A directory made anew with nothing in it is as it was; one that became a file is not.
    assert shown == ["C /etc", "C /etc/group", "C /home"]


# --- what must not get out


def test_cve_2018_15664_links_swapped_during_a_copy_lead_nowhere(engine: Engine, tmp_path: Path) -> None:
    """A process swaps a directory for a link to the host's files while they are copied."""
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "secret").write_text("of the host")
    swap = (
        f"mkdir -p /real {tmp_path}/host; echo c > {tmp_path}/host/secret; echo c > /real/secret;"
        f"ln -s {tmp_path}/host /away; ln -s /real /w; touch /ready;"
        f"while :; do ln -sfn /real /w; ln -sfn {tmp_path}/host /w;"
        "mv /real /t; mv /away /real; mv /real /away; mv /t /real; done"
    )
    engine.docker("run", "-d", "--name", "c1", IMAGE, "sh", "-c", swap)
    engine.docker("exec", "c1", "sh", "-c", "until [ -e /ready ]; do sleep 0.01; done")
    archive = packed((member("secret"), b"overwritten"))
    written = 0
    for number in range(150):
        path = ("/w", "/real")[number % 2]
        written += put(engine, archive, path)[0] == 200
        status, raw = engine.api("GET", f"/containers/c1/archive?path={path}/secret")
        if status == 200:
            assert b"of the host" not in raw
    assert written
    assert (tmp_path / "host" / "secret").read_text() == "of the host"
    assert os.listdir(tmp_path / "host") == ["secret"]


def test_cve_2019_14271_no_code_of_the_container_is_loaded(engine: Engine, tmp_path: Path) -> None:
    """What our own process would load from a root it had moved into must not be opened there."""
    package = os.path.dirname(os.__file__)
    trap = f"import os; os.system('touch {tmp_path}/trapped'); raise SystemExit"
    engine.docker("run", "-d", "--name", "c1", IMAGE, "sleep", "1000")
    members = [
        *(
            f"{package}/{name}.py"
            for name in ("tarfile", "bz2", "pwd", "stringprep", "encodings/idna", "locale")
        ),
        *(f"{package}/lib-dynload/{name}.so" for name in ("_bz2", "_lzma")),
        *("lib/x86_64-linux-gnu/libnss_files.so.2", "lib/x86_64-linux-gnu/libnss_compat.so.2"),
    ]
    archive = packed(*((member(name.lstrip("/")), trap.encode()) for name in members))
    assert put(engine, archive, "/")[0] == 200
    for mode in ("gz", "bz2", "xz"):
        assert put(engine, compressed(mode, (member("é-ſ.example"), b"")), "/tmp", copyUIDGID="1")[0] == 200
    engine.docker("cp", "c1:/", "-")
    engine.docker("export", "c1")
    assert engine.alive()
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize(
    "members",
    [
        [(member("../../{out}"), b"x")],
        [(member("a/../../../{out}"), b"x")],
        [member("hard", tarfile.LNKTYPE, linkname="../../../etc/shadow")],
        [member(".", tarfile.SYMTYPE, linkname="/")],
    ],
    ids=["dots", "dots-inside", "hard-link-out", "root-replaced"],
)
def test_names_that_lead_out_are_refused(engine: Engine, sleeper: str, members: list[Any]) -> None:
    status, _ = put(engine, packed(*members), "/tmp")
    assert status == 400
    assert in_container(engine, "ls -A /tmp") == ""


def test_links_in_an_archive_stay_in_the_container(engine: Engine, sleeper: str, tmp_path: Path) -> None:
    """Absolute, and by as many `..` as you like: both are resolved as in the container."""
    archive = packed(
        member("abs", tarfile.SYMTYPE, linkname=str(tmp_path)),
        member("rel", tarfile.SYMTYPE, linkname="../" * 30 + str(tmp_path).lstrip("/")),
        member("proc", tarfile.SYMTYPE, linkname="/proc/self/root"),
    )
    assert put(engine, archive, "/tmp")[0] == 200
    in_container(engine, f"mkdir -p {tmp_path}")
    for name in ("abs", "rel"):
        assert put(engine, packed((member(f"{name}/{name}"), b"in")), "/tmp")[0] == 200
    put(engine, packed((member("proc/proc"), b"in")), "/tmp")
    assert list(tmp_path.iterdir()) == []
    assert in_container(engine, f"ls {tmp_path}") == "abs\nrel\n"
    assert engine.docker("cp", "c1:/tmp/abs/.", "-").returncode == 0


def test_cve_2022_24769_and_others_devices_are_made_but_never_opened(engine: Engine, sleeper: str) -> None:
    """A device node is copied as a node: neither reading nor writing goes through it."""
    node = member("disk", tarfile.BLKTYPE, devmajor=254, devminor=0, mode=0o666)
    assert put(engine, packed(node), "/tmp")[0] == 200
    archive = engine.docker("cp", "c1:/tmp/disk", "-").stdout
    assert len(archive) < 10_000
    assert put(engine, packed((member("disk"), b"plain")), "/tmp")[0] == 200
    assert in_container(engine, "cat /tmp/disk") == "plain"


def test_no_device_can_be_opened_where_copies_work(tmp_path: Path) -> None:
    """Nor one that takes a file's place between a look and the opening."""
    os.mknod(tmp_path / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    volume = tmp_path / "volume"
    volume.mkdir()
    (tmp_path / "root" / "v").mkdir(parents=True)
    os.rename(tmp_path / "null", tmp_path / "root" / "null")
    os.mknod(volume / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    refused: list[OSError] = []

    def look() -> None:
        with tree(str(mounted), [Bind(str(volume), "/v")]) as root:
            for path in ("null", "v/null"):
                try:
                    os.close(os.open(path, os.O_RDONLY, dir_fd=root))
                except OSError as error:
                    refused.append(error)

    mounted = tmp_path / "mounted"
    mounted.mkdir()
    mounts.bind(str(tmp_path / "root"), str(mounted))
    try:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        os.close(os.open(mounted / "null", os.O_RDONLY))
    finally:
        mounts.unmount_if_mounted(str(mounted))
    assert [error.errno for error in refused] == [errno.EACCES, errno.EACCES]


def test_a_fifo_in_the_place_of_a_file_holds_nobody_up(engine: Engine) -> None:
    swap = "mkdir /t; mkfifo /p; while :; do echo >/t/f; mv -f /p /t/f; mv /t/f /p; done"
    engine.docker("run", "-d", "--name", "c1", IMAGE, "sh", "-c", swap)
    for _ in range(100):
        engine.api("GET", "/containers/c1/archive?path=/t")


@pytest.mark.parametrize(
    "name", ["x" * 256, "/".join(["d" * 200] * 30), "x" * 5000], ids=["part", "path", "both"]
)
def test_huge_names_are_refused(engine: Engine, sleeper: str, name: str) -> None:
    status, message = put(engine, packed((member(name), b"x")), "/tmp")
    assert status == 400
    assert "File name too long" in message
    assert engine.alive()


def test_a_tree_deeper_than_a_path_is_long(engine: Engine, sleeper: str) -> None:
    name = "n" * 40
    in_container(
        engine, f"cd /tmp; mkdir {name}; for i in $(seq 200); do mkdir t; mv {name} t; mv t {name}; done"
    )
    descriptors = len(os.listdir(f"/proc/{engine.process.pid}/fd"))  # type: ignore[union-attr]
    engine.docker("cp", "c1:/tmp", "-", check=False)
    engine.docker("diff", "c1")
    wait_for(lambda: len(os.listdir(f"/proc/{engine.process.pid}/fd")) <= descriptors + 2)  # type: ignore[union-attr]


def test_damaged_archives(engine: Engine, sleeper: str) -> None:
    whole = packed((member("f"), b"x" * 100_000))
    assert put(engine, whole[:50_000], "/tmp") == (400, "archive/tar: unexpected EOF")
    assert in_container(engine, "ls /tmp") == ""
    assert put(engine, b"no archive at all" * 100, "/tmp")[0] == 400
    assert put(engine, b"\x1f\x8b\x08 but not gzip", "/tmp")[0] == 400


# --- clients that leave, full disks, and lives that go on


def _threads(engine: Engine) -> list[str]:
    found = []
    task = Path(f"/proc/{engine.process.pid}/task")  # type: ignore[union-attr]
    for thread in task.iterdir():
        try:
            found.append(os.readlink(thread / "ns" / "mnt"))
        except FileNotFoundError:
            continue
    return found


def _left_alone(engine: Engine) -> bool:
    """Nobody visits a container: no thread has mounts of its own."""
    return len(set(_threads(engine))) == 1


def test_a_client_that_vanishes_leaves_nothing(engine: Engine, container: str) -> None:
    identifier = engine.get(f"/containers/{container}/json")["Id"]
    running = engine.get(f"/containers/{container}/json")["State"]["Running"]
    root = str(engine.exec_root / "rootfs" / identifier)
    for request in (
        b"GET /containers/c1/export HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /containers/c1/archive?path=/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PUT /containers/c1/archive?path=/d HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
        + packed((member("half"), b"x" * 800_000))[:300_000],
    ):
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(engine.socket))
        client.sendall(request)
        wait_for(lambda: not _left_alone(engine))
        client.close()
        wait_for(lambda: _left_alone(engine))
    wait_for(lambda: (root in engine.mounts()) == running)
    if not running:
        wait_for(lambda: not os.path.exists(root))
    assert engine.api("HEAD", "/containers/c1/archive?path=/d/half")[0] == 404


def test_a_full_disk_is_said_clearly_and_leaves_no_half_file(engine: Engine, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], check=True)
    try:
        engine.docker("run", "-d", "--name", "c1", "-v", f"{small}:/small", IMAGE, "sleep", "1000")
        status, message = put(engine, packed((member("big"), b"x" * 3_000_000)), "/small")
        assert (status, message) == (500, "cannot unpack 'big': No space left on device")
        assert list(small.iterdir()) == []
        assert put(engine, packed((member("small"), b"x" * 3_000)), "/small")[0] == 200
    finally:
        engine.docker("rm", "-f", "c1")
        subprocess.run(["umount", "-l", small], check=True)


def test_a_container_starts_stops_and_goes_during_a_copy(engine: Engine) -> None:
    """A copy holds nobody up; what it reads stays there until it is done."""
    engine.docker("run", "--name", "c1", IMAGE, "sh", "-c", "dd if=/dev/zero of=/big bs=1M count=40")
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(engine.socket))
    client.sendall(b"GET /containers/c1/archive?path=/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    wait_for(lambda: not _left_alone(engine))
    assert engine.docker("start", "-a", "c1").returncode == 0
    engine.docker("rm", "c1")
    received = 0
    while piece := client.recv(1 << 20):
        received += len(piece)
    client.close()
    assert received > 40 << 20
    wait_for(lambda: _left_alone(engine) and not [line for line in engine.mounts() if "/rootfs/" in line])


def test_the_api_answers_while_much_is_copied(engine: Engine, sleeper: str) -> None:
    in_container(engine, "dd if=/dev/zero of=/big bs=1M count=200 2>/dev/null")
    ended: list[int] = []

    def copy() -> None:
        ended.append(len(engine.docker("export", "c1").stdout))

    threads = [threading.Thread(target=copy) for _ in range(2)]
    for thread in threads:
        thread.start()
    slowest = 0.0
    while any(thread.is_alive() for thread in threads):
        started = time.monotonic()
        engine.api("GET", "/_ping")
        slowest = max(slowest, time.monotonic() - started)
    assert min(ended) > 200 << 20
    assert slowest < 5


def test_an_engine_killed_during_a_copy_comes_back_clean(new_engine: Callable[..., Engine]) -> None:
    engine = new_engine()
    engine.docker("run", "--name", "c1", IMAGE, "sh", "-c", "truncate -s 60M /big; echo kept >/kept")
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(engine.socket))
    body = packed((member("half"), b"x" * 800_000))
    client.sendall(
        b"PUT /containers/c1/archive?path=/tmp HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
        + body[:600_000]
    )
    wait_for(lambda: [mount for mount in engine.mounts() if "/rootfs/" in mount])
    engine.kill()
    client.close()
    engine.start()
    assert [mount for mount in engine.mounts() if "/rootfs/" in mount] == []
    assert b"kept" in engine.docker("cp", "c1:/kept", "-").stdout
    assert put(engine, body, "/tmp")[0] == 200
    assert engine.docker("start", "-a", "c1").returncode == 0


@pytest.fixture(autouse=True)
def _nobody_visits(shared_engine: Engine, request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did, no visit is left behind."""
    yield
    wait_for(lambda: _left_alone(shared_engine))
