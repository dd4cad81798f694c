"""Images go with their names, or are pruned, as docker does it; those that are used stay."""

import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from tests.engine.engine import IMAGE, Engine, wait_for
from tests.images.rooms import digest_of, saved, tree

SHARED = tree({"etc/shared": "s" * 1000})
OWN = tree({"own": "o" * 500})


@pytest.fixture
def clean(engine: Engine) -> Iterator[Engine]:
    """The shared engine, with no images but its own before the test and after it."""
    _clear(engine)
    yield engine
    _clear(engine)


def _clear(engine: Engine) -> None:
    engine.remove_containers()
    for _ in range(3):
        for image in engine.get("/images/json?all=1"):
            if IMAGE not in str(image["RepoTags"]):
                engine.api("DELETE", f"/images/{image['Id']}?force=1")


def load(engine: Engine, name: str | None, *layers: bytes, **members: Any) -> str:
    said = engine.docker("load", "-q", input=saved(name, layers, **members)).stdout.decode()
    reference = said.split(": ", 1)[1].strip()
    found: str = engine.get(f"/images/{reference}/json")["Id"]
    return found


def prune(engine: Engine, **filters: list[str]) -> tuple[int, Any]:
    return engine.api("POST", f"/images/prune?filters={quote(json.dumps(filters))}")


def ids(engine: Engine) -> set[str]:
    return {image["Id"] for image in engine.get("/images/json?all=1") if IMAGE not in str(image["RepoTags"])}


def test_dangling_images_go_and_their_own_bytes_are_counted(clean: Engine) -> None:
    named = load(clean, "pruned:1", SHARED)
    nameless = load(clean, None, SHARED, OWN)
    status, answer = prune(clean)
    layer = digest_of(f"{digest_of(SHARED)} {digest_of(OWN)}".encode())
    assert status == 200
    assert answer == {"ImagesDeleted": [{"Deleted": nameless}, {"Deleted": layer}], "SpaceReclaimed": 500}
    assert ids(clean) == {named}
    assert prune(clean) == (200, {"ImagesDeleted": None, "SpaceReclaimed": 0})


def test_all_that_nobody_uses_goes_by_the_docker_command(clean: Engine) -> None:
    used = load(clean, "used:1", SHARED)
    clean.docker("tag", "used:1", "used:2")
    load(clean, "unused:1", SHARED, OWN)
    clean.docker("create", "--name", "box", "used:1", "x")
    clean.docker("create", "--name", "starter", IMAGE)
    said = clean.docker("image", "prune", "--all", "--force").stdout.decode()
    assert "untagged: unused:1" in said
    assert "Total reclaimed space: 500B" in said
    assert ids(clean) == {used}
    assert clean.get("/images/used:1/json")["RepoTags"] == ["used:1", "used:2"]


def test_filters(clean: Engine) -> None:
    old = load(clean, None, SHARED, created="2020-01-01T00:00:00Z", config={"Labels": {"keep": "no"}})
    new = load(clean, None, OWN, created="2024-01-01T00:00:00Z", config={"Labels": {"keep": "yes"}})
    assert prune(clean, until=["2019-01-01"])[1]["ImagesDeleted"] is None
    assert prune(clean, **{"label!": ["keep"]})[1]["ImagesDeleted"] is None
    assert prune(clean, label=["keep=maybe"])[1]["ImagesDeleted"] is None
    assert prune(clean, until=["2022-01-01T00:00:00Z"])[1]["ImagesDeleted"][0] == {"Deleted": old}
    assert prune(clean, label=["keep=yes"])[1]["ImagesDeleted"][0] == {"Deleted": new}
    for wrong in ({"until": ["x"]}, {"until": ["1", "2"]}, {"dangling": ["perhaps"]}, {"reference": ["a"]}):
        assert prune(clean, **wrong)[0] == 400


def test_an_event_tells_how_much_came_free(clean: Engine) -> None:
    load(clean, None, OWN)
    now = clean.py.info()["SystemTime"]
    clean.py.images.prune()
    events = clean.get(
        f"/events?since={quote(now)}&until=0s&filters={quote(json.dumps({'event': ['prune']}))}"
    )
    assert (events["Type"], events["Actor"]["Attributes"]) == ("image", {"reclaimed": "500"})


def test_one_prune_at_a_time(clean: Engine) -> None:
    layers = [tree({"file": str(number)}) for number in range(60)]
    for layer in layers:
        clean.send("POST", "/images/load", saved(None, [layer]), "application/x-tar")
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(prune(clean)[0])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 409}
    assert 200 in answers
    assert ids(clean) == set()


def test_partial_downloads_go(clean: Engine) -> None:
    parts = clean.data_root / "content/ingest/parts"
    parts.mkdir(exist_ok=True)
    (parts / ("a" * 64)).write_bytes(b"half a layer")
    assert prune(clean)[1]["SpaceReclaimed"] == len(b"half a layer")
    assert list(parts.iterdir()) == []


def test_system_prune(clean: Engine) -> None:
    load(clean, "gone:1", OWN)
    clean.docker("run", "--name", "kept", "-d", IMAGE, "sleep", "1000")
    clean.docker("create", "--name", "gone", "gone:1", "x")
    said = clean.docker("system", "prune", "--all", "--force", "--volumes").stdout.decode()
    assert "untagged: gone:1" in said
    assert "Total reclaimed space: 500B" in said
    assert ids(clean) == set()
    assert [image["RepoTags"] for image in clean.get("/images/json")] == [[f"{IMAGE}:latest"]]


def test_removal_conflicts(clean: Engine) -> None:
    image = load(clean, "used:1", SHARED)
    short = image.removeprefix("sha256:")[:12]
    box = clean.docker("create", "used:1", "x").stdout.decode()[:12]
    words = f"container {box} is using its referenced image {short}"

    def refused(*flags: str) -> str:
        done = clean.docker("rmi", *flags, check=False)
        assert done.returncode == 1
        return done.stderr.decode()

    assert f'unable to remove repository reference "used:1" (must force) - {words}' in refused("used:1")
    text = f"unable to delete {short} (must be forced) - image is being used by stopped container {box}"
    assert text in refused(short)
    clean.docker("tag", "used:1", "other:1")
    assert f"unable to delete {short} (must be forced) - image is referenced in multiple" in refused(short)
    assert clean.docker("rmi", "other:1").stdout.decode() == "Untagged: other:1\n"
    assert clean.docker("rmi", "-f", "used:1").stdout.decode().startswith("Untagged: used:1\n")
    # Its layers stay for the container that stands on them, and go with it.
    place = clean.get(f"/containers/{box}/json")["GraphDriver"]["Data"]["LowerDir"]
    clean.docker("rm", box)
    wait_for(
        lambda: clean.send("POST", "/lading/system/check")[1].splitlines()[-1].endswith(b'"Findings":[]}}')
    )
    assert str(clean.data_root) in place


def test_all_names_go_by_force(clean: Engine) -> None:
    image = load(clean, "many:1", SHARED)
    clean.docker("tag", "many:1", "names:1")
    now = clean.py.info()["SystemTime"]
    removed = clean.docker("rmi", "-f", image).stdout.decode().splitlines()
    assert removed[:3] == ["Untagged: many:1", "Untagged: names:1", f"Deleted: {image}"]
    raw = clean.send("GET", f"/events?since={quote(now)}&until=0s")[1]
    told = [json.loads(line) for line in raw.splitlines()]
    assert [event["Action"] for event in told if event["Type"] == "image"] == ["untag", "untag", "delete"]


def test_parents_go_with_their_last_child_unless_asked_not_to(clean: Engine) -> None:
    for noprune in (False, True):
        parent = load(clean, None, SHARED)
        box = clean.py.containers.create(parent, "x")
        child = box.commit("child", "1").id
        box.remove()
        status, answer = clean.api("DELETE", f"/images/{parent}")
        assert (status, answer["message"].split(" - ")[1]) == (409, "image has dependent child images")
        removed = clean.api("DELETE", f"/images/child:1?noprune={int(noprune)}")[1]
        gone = {entry["Deleted"] for entry in removed if "Deleted" in entry}
        assert child in gone
        assert (parent in gone) is not noprune
        assert ids(clean) == ({parent} if noprune else set())


def test_removal_for_a_platform(clean: Engine) -> None:
    load(clean, "one:1", SHARED)
    other, own = (quote(json.dumps({"os": "linux", "architecture": name})) for name in ("arm64", "amd64"))
    assert clean.api("DELETE", f"/images/one:1?platforms={other}")[0] == 404
    status, answer = clean.api("DELETE", f"/images/one:1?platforms={own}&platforms={other}")
    assert (status, answer["message"]) == (400, "multiple platforms are not supported")
    assert clean.api("DELETE", f"/images/one:1?platforms={own}")[0] == 200
