"""What `-v` and `--mount` can say, as it is inside containers."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.engine import IMAGE, Engine

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an engine needs root")


@pytest.fixture(autouse=True)
def _clean(engine: Engine) -> Iterator[None]:
    yield
    engine.remove_containers()
    for volume in engine.get("/volumes")["Volumes"]:
        engine.api("DELETE", f"/volumes/{volume['Name']}?force=1")


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Path]:
    """A mount that spreads, with another below it."""
    place = tmp_path / "shared"
    (place).mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
    subprocess.run(["mount", "--make-shared", place], check=True)
    (place / "below").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place / "below"], check=True)
    yield place
    subprocess.run(["umount", "-R", "-l", place], check=False)


def _run(engine: Engine, *words: str) -> str:
    return engine.docker("run", "--rm", *words).stdout.decode().strip()


def _fails(engine: Engine, *words: str) -> str:
    done = engine.docker("run", "--rm", *words, check=False)
    assert done.returncode, words
    return done.stderr.decode()


def _mount_info(engine: Engine, destination: str, *words: str) -> list[str]:
    """The fields of a mount inside: options and what it tells of its propagation."""
    shown = _run(engine, *words, IMAGE, "cat", "/proc/self/mountinfo").splitlines()
    (line,) = [line for line in shown if line.split()[4] == destination]
    return line.split()


PROPAGATIONS = {
    "private": "",
    "rprivate": "",
    "slave": "master:",
    "rslave": "master:",
    "shared": "shared:",
    "rshared": "shared:",
}


@pytest.mark.parametrize("mode", PROPAGATIONS)
def test_propagation(engine: Engine, shared: Path, mode: str) -> None:
    mount = f"type=bind,src={shared},dst=/m,bind-propagation={mode}"
    for words in (("-v", f"{shared}:/m:{mode}"), ("--mount", mount)):
        optional = _mount_info(engine, "/m", *words)[6]
        assert optional.startswith(PROPAGATIONS[mode] or "-")


def test_what_is_mounted_later_spreads_where_asked(engine: Engine, shared: Path) -> None:
    for mode in ("rslave", "rprivate"):
        engine.docker("run", "-d", "--name", mode, "-v", f"{shared}:/m:{mode}", IMAGE, "sleep", "1000")
    (shared / "later").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", shared / "later"], check=True)
    (shared / "later" / "file").touch()
    assert engine.docker("exec", "rslave", "ls", "/m/later").stdout == b"file\n"
    assert engine.docker("exec", "rprivate", "ls", "/m/later").stdout == b""


WRITE = "for place in /m /m/below; do touch $place/x 2>/dev/null && echo -n w || echo -n r; done"


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ("", "ww"),
        ("readonly", "rr"),
        ("readonly,bind-recursive=enabled", "rr"),
        ("readonly,bind-recursive=writable", "rw"),
        ("readonly,bind-recursive=readonly,bind-propagation=rprivate", "rr"),
        ("readonly,bind-recursive=disabled", "rr"),
    ],
)
def test_how_far_read_only_goes(engine: Engine, shared: Path, options: str, seen: str) -> None:
    mount = f"type=bind,src={shared},dst=/m,{options}".rstrip(",")
    assert _run(engine, "--mount", mount, IMAGE, "sh", "-c", WRITE) == seen


def test_what_is_below_stays_out_where_asked(engine: Engine, shared: Path) -> None:
    (shared / "below" / "file").touch()
    mount = f"type=bind,src={shared},dst=/m"
    assert _run(engine, "--mount", mount, IMAGE, "ls", "/m/below") == "file"
    assert _run(engine, "--mount", f"{mount},bind-recursive=disabled", IMAGE, "ls", "/m/below") == ""


def test_missing_sources(engine: Engine, tmp_path: Path) -> None:
    missing = tmp_path / "not" / "there"
    said = _fails(engine, "--mount", f"type=bind,src={missing},dst=/m", IMAGE, "true")
    assert f'invalid mount config for type "bind": bind source path does not exist: {missing}' in said
    assert not missing.exists()
    _, made = engine.create(
        Cmd=["touch", "/m/x"],
        HostConfig={
            "Mounts": [
                {
                    "Type": "bind",
                    "Source": str(missing),
                    "Target": "/m",
                    "BindOptions": {"CreateMountpoint": True},
                }
            ]
        },
    )
    engine.docker("start", "-a", made["Id"])
    assert os.listdir(missing) == ["x"]
    _run(engine, "-v", f"{tmp_path}/made:/m:z", IMAGE, "touch", "/m/y")
    assert os.listdir(tmp_path / "made") == ["y"]


def test_file_systems_in_memory(engine: Engine) -> None:
    fields = _mount_info(engine, "/m", "--mount", "type=tmpfs,dst=/m,tmpfs-size=1m,tmpfs-mode=1770")
    assert {"nosuid", "nodev", "noexec"} <= set(fields[5].split(","))
    assert "size=1024k" in fields[-1]
    assert "mode=1770" in fields[-1]
    fields = _mount_info(engine, "/m", "--tmpfs", "/m:exec,size=2m,uid=7")
    assert "noexec" not in fields[5].split(",")
    assert {"size=2048k", "uid=7"} <= set(fields[-1].split(","))
    said = _fails(engine, "--mount", "type=tmpfs,dst=/m,readonly", IMAGE, "touch", "/m/x")
    assert "Read-only file system" in said


def test_volumes_with_every_key(engine: Engine) -> None:
    mount = (
        "type=volume,src=made,dst=/etc,volume-driver=local,volume-label=a=b,volume-label=c,"
        "volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-nocopy"
    )
    assert _run(engine, "--mount", mount, IMAGE, "ls", "/etc") == "hostname\nhosts\nresolv.conf"
    made = engine.py.volumes.get("made").attrs
    assert made["Labels"] == {"a": "b", "c": ""}
    assert made["Options"] == {"type": "tmpfs", "device": "tmpfs"}
    # With this status docker's command pulls the image before it tells.
    status, answer = engine.create(Cmd=["x"], HostConfig={"VolumeDriver": "nope", "Binds": ["other:/m"]})
    said = 'create other: error looking up volume plugin nope: plugin "nope" not found'
    assert (status, answer["message"]) == (404, said)
    assert "passwd" in _run(engine, "-v", "filled:/etc", IMAGE, "true") + _run(
        engine, "-v", "filled:/f", IMAGE, "ls", "/f"
    )
    assert _run(engine, "-v", "empty:/etc:nocopy", IMAGE, "true") == ""
    assert "passwd" not in _run(engine, "-v", "empty:/f", IMAGE, "ls", "/f")


def test_nameless_volumes_go_with_their_container(engine: Engine) -> None:
    _run(engine, "-v", "/one", "-v", "named:/two", IMAGE, "true")
    assert [volume.name for volume in engine.py.volumes.list()] == ["named"]
    for flags, left in ((("-v",), 0), ((), 1)):
        engine.docker("run", "--name", "box", "-v", "/one", IMAGE, "true")
        engine.docker("rm", *flags, "box")
        assert len(engine.py.volumes.list()) == 1 + left


def test_volumes_from_keep_their_modes(engine: Engine, tmp_path: Path) -> None:
    binds = ("-v", f"{tmp_path}:/bound:ro", "-v", "data:/data", "--mount", "type=tmpfs,dst=/memory")
    engine.docker("create", "--name", "giver", *binds, IMAGE)
    engine.docker("create", "--name", "taker", "--volumes-from", "giver", IMAGE)
    engine.docker("create", "--name", "reader", "--volumes-from", "giver:ro", IMAGE)

    def modes(name: str) -> dict[str, bool]:
        mounts = engine.get(f"/containers/{name}/json")["Mounts"]
        return {mount["Destination"]: mount["RW"] for mount in mounts if mount["Type"] != "tmpfs"}

    assert modes("taker") == {"/bound": False, "/data": True}
    assert modes("reader") == {"/bound": False, "/data": False}


def test_places_are_made_in_read_only_roots(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    flags = ("--read-only", "-v", f"{tmp_path}:/a/new/place", "-v", f"{tmp_path}/file:/a/file:ro")
    assert (
        _run(engine, *flags, "-v", "vol:/b/c", IMAGE, "sh", "-c", "ls /a/new/place; cat /a/file") == "file\nx"
    )
    assert "Read-only file system" in _fails(engine, *flags, IMAGE, "touch", "/a/x")


def test_links_in_the_root_lead_nowhere_outside(engine: Engine, tmp_path: Path) -> None:
    """A container that turns a mount's place into a link gets nothing mounted outside its root."""
    outside = tmp_path / "outside"
    outside.mkdir()
    script = f"mkdir -p /x && ln -s {outside} /x/up && ln -s /../../../../../..{outside} /x/over"
    engine.docker("run", "--name", "evil", IMAGE, "sh", "-c", script)
    engine.docker("commit", "evil", "evil:1")
    try:
        for place in ("/x/up/m", "/x/over/m"):
            engine.docker("run", "--rm", "-v", f"data:{place}", "evil:1", "touch", f"{place}/f", check=False)
        assert os.listdir(outside) == []
        # A link within a volume does not lead out of it either.
        _run(engine, "-v", "links:/l", IMAGE, "ln", "-s", str(outside), "/l/out")
        mount = "type=volume,src=links,dst=/m,volume-subpath=out"
        assert "cannot access path" in _fails(engine, "--mount", mount, IMAGE, "touch", "/m/x")
        assert os.listdir(outside) == []
    finally:
        engine.remove_containers()
        engine.docker("rmi", "-f", "evil:1")


def test_relabelling_letters_are_taken(engine: Engine, tmp_path: Path) -> None:
    for letter in ("z", "Z"):
        assert _run(engine, "-v", f"{tmp_path}:/m:ro,{letter}", IMAGE, "ls", "/m") == ""
