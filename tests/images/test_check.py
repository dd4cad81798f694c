"""The checker finds what was damaged behind the engine's back, and repairs what can be repaired."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from lading.errors import Conflict
from lading.images import Commit, ImageUser
from lading.oci.image import ImageConfig

from .rooms import Rooms, digest_of, layout, saved, tarred, tree

ONE = tree({"etc/one": "1", "etc/two": "22"})
TWO = tree({"usr/file": "content"})


async def checked(rooms: Rooms, users: Any = (), **options: bool) -> list[dict[str, Any]]:
    """What a check finds."""
    messages = [message async for message in rooms.images.check(lambda: list(users), **options)]
    assert all({"status", "id", "progressDetail"} <= set(message) for message in messages[:-1])
    report = messages[-1]["aux"]
    assert report["Checked"]["Images"] == len(rooms.images.list(everything=True)) or options.get("repair")
    findings: list[dict[str, Any]] = report["Findings"]
    await rooms.cleared()
    return findings


def kinds(findings: list[dict[str, Any]]) -> list[tuple[str, bool]]:
    return sorted((finding["Kind"], finding["Repaired"]) for finding in findings)


def directory(rooms: Rooms, name: str, number: int = -1) -> Path:
    return Path(rooms.snapshots.directories(rooms.images.resolve(name).chain_id)[number])


async def test_nothing_is_wrong_with_what_was_loaded(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE, TWO]))
    await rooms.load(saved("b", [ONE]))
    rooms.snapshots.prepare("box", rooms.images.resolve("a").chain_id)
    assert await checked(rooms, deep=True, repair=True) == []
    assert len(rooms.images.list()) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda place: (place / "etc/one").write_text("!"),
        lambda place: (place / "etc/one").unlink(),
        lambda place: (place / "etc/three").touch(),
        lambda place: os.chmod(place / "etc/one", 0o4755),
        lambda place: os.chown(place / "etc/one", 5, 5),
        lambda place: os.setxattr(place / "etc", "user.a", b"b"),
        lambda place: os.link(place / "etc/one", place.parent / ".empty/link"),
        lambda place: shutil.rmtree(place),
    ],
    ids=["content", "missing", "more", "mode", "owner", "attribute", "links", "gone"],
)
async def test_a_damaged_layer_is_unpacked_anew(rooms: Rooms, damage: Any) -> None:
    await rooms.load(saved("a", [ONE, TWO]))
    damage(directory(rooms, "a", 0))
    (finding,) = (found for found in await checked(rooms, deep=True) if found["Kind"] == "layer")
    assert (finding["Subject"], finding["Repairable"], finding["Repaired"]) == (digest_of(ONE), True, False)
    assert ("layer", True) in kinds(await checked(rooms, deep=True, repair=True))
    assert await checked(rooms, deep=True) == []
    place = directory(rooms, "a", 0)
    assert ((place / "etc/one").read_text(), (place / "etc/one").stat().st_mode & 0o7777) == ("1", 0o644)
    assert directory(rooms, "a").joinpath("usr/file").read_text() == "content"


async def test_a_layer_in_use_is_left_alone(rooms: Rooms, tmp_path: Path) -> None:
    await rooms.load(saved("a", [ONE]))
    rooms.snapshots.prepare("box", rooms.images.resolve("a").chain_id)
    place = tmp_path / "root"
    place.mkdir()
    rooms.snapshots.mount("box", str(place))
    try:
        (directory(rooms, "a") / "etc/one").write_text("!")
        finding, image = await checked(rooms, deep=True, repair=True)
        assert (finding["Kind"], finding["Repaired"]) == ("layer", False)
        assert (image["Kind"], image["Repaired"]) == ("image", False)
        assert "stop the containers" in finding["Problem"]
        assert (place / "etc/two").read_text() == "22"
    finally:
        rooms.snapshots.unmount(str(place))
    assert kinds(await checked(rooms, deep=True, repair=True)) == [("layer", True)]
    assert await checked(rooms, deep=True) == []


async def test_what_cannot_be_repaired_is_dropped_but_not_what_a_container_uses(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE, TWO]))
    await rooms.load(saved("b", [ONE]))
    used = rooms.images.resolve("b").id
    for digest in (digest_of(ONE), used):
        Path(rooms.content.path(digest)).write_bytes(b"rubbish")
    shutil.rmtree(directory(rooms, "b"))
    users = [ImageUser("c" * 64, used, running=False)]
    found = await checked(rooms, users)
    assert kinds(found) == [("blob", False)] * 2 + [("image", False)] * 2 + [("layer", False)]
    repaired = await checked(rooms, users, repair=True)
    images = {finding["Subject"]: finding for finding in repaired if finding["Kind"] == "image"}
    assert "dropped with its names" in images.pop(next(key for key in images if key != used))["Problem"]
    assert "container cccccccccccc uses it" in images[used]["Problem"]
    assert rooms.database.query("SELECT id FROM images")[0]["id"] == used
    # What was lost may come again, and is then whole.
    rooms.snapshots.remove("box")
    assert kinds(await checked(rooms, [], repair=True)) == [("image", True), ("layer", False)]
    await rooms.load(saved("b", [ONE]))
    await rooms.load(saved("a", [ONE, TWO]))
    assert await checked(rooms, deep=True) == []


async def test_without_its_packed_layer_an_image_still_runs(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE, TWO]))
    os.truncate(rooms.content.path(digest_of(TWO)), 10)
    found = await checked(rooms, repair=True)
    assert kinds(found) == [("blob", True), ("image", False)]
    assert "neither saved nor pushed" in found[1]["Problem"]
    assert directory(rooms, "a").joinpath("usr/file").exists()
    await rooms.load(saved("a", [ONE, TWO]))
    assert await checked(rooms, deep=True) == []
    rooms.check()


async def test_a_layer_made_here_is_packed_anew(rooms: Rooms, tmp_path: Path) -> None:
    await rooms.load(saved("a", [ONE]))
    parent = rooms.images.resolve("a")
    rooms.snapshots.prepare("box", parent.chain_id)
    upper = Path(rooms.snapshots.driver_data("box")["UpperDir"])
    (upper / "made").mkdir(mode=0o1777)
    (upper / "made/here").write_text("by hand")
    os.link(upper / "made/here", upper / "made/again")
    os.mknod(upper / "etc", 0o20000, 0)
    write = rooms.snapshots.packer("box")
    image_id, _ = await rooms.images.commit(Commit(parent.id, ImageConfig(), write), "made")
    digest = rooms.images.resolve("made").document.diff_ids[-1]
    Path(rooms.content.path(digest)).write_bytes(b"rubbish")
    assert kinds(await checked(rooms)) == [("blob", False), ("image", False)]
    assert kinds(await checked(rooms, repair=True)) == [("blob", True)]
    assert await checked(rooms, deep=True) == []
    assert rooms.images.resolve("made").id == image_id
    rooms.snapshots.remove("box")
    rooms.check()


async def test_without_its_manifest_an_image_is_whole(rooms: Rooms, tmp_path: Path) -> None:
    await rooms.load(tarred(layout(tmp_path / "layout", "a:latest", [ONE])))
    image = rooms.images.resolve("a")
    Path(rooms.content.path(image.manifest_digest)).unlink()
    found = await checked(rooms, repair=True)
    assert kinds(found) == [("blob", True), ("image", True)]
    assert await checked(rooms, deep=True) == []
    assert rooms.images.resolve("a").id == image.id


async def test_garbage(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE]))
    (rooms.root / "snapshots/zz/etc").mkdir(parents=True)
    (rooms.root / "content/blobs/sha256" / ("f" * 64)).touch()
    (rooms.root / "content/ingest/left").touch()
    parts = rooms.root / "content/ingest/parts"
    parts.mkdir(exist_ok=True)
    for name, age in (("e" * 64, 1000), ("d" * 64, 2 * 24 * 3600)):
        (parts / name).touch()
        when = (parts / name).stat().st_mtime - age
        os.utime(parts / name, (when, when))
    with rooms.database.transaction() as transaction:
        transaction.execute("INSERT INTO blobs (digest, size) VALUES (?, 0)", ("sha256:" + "f" * 64,))
    found = await checked(rooms)
    subjects = {finding["Subject"] for finding in found if finding["Kind"] == "garbage"}
    assert subjects == {"zz", "sha256:" + "f" * 64, "left", "d" * 64}
    assert {finding["Repaired"] for finding in await checked(rooms, repair=True)} == {True}
    assert await checked(rooms) == []
    assert os.listdir(parts) == ["e" * 64]
    shutil.rmtree(parts)
    rooms.check()


async def test_what_is_under_way_is_no_garbage(rooms: Rooms) -> None:
    blob = rooms.content.ingest()
    staged = rooms.snapshots.stage(iter([ONE, b""]).__next__)
    with rooms.ctx.admission.under_way():
        assert await checked(rooms, repair=True, deep=True) == []
        assert os.path.exists(blob.path)
        assert os.path.exists(staged.directory)
    blob.discard()
    rooms.snapshots.discard(staged)


async def test_one_check_at_a_time(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE]))
    first = rooms.images.check(list)
    await anext(first)
    with pytest.raises(Conflict, match="a check is already running"):
        await anext(rooms.images.check(list))
    await first.aclose()  # type: ignore[attr-defined]
    assert await checked(rooms) == []
