"""What is measured. Each measure leaves the engine as it found it, but for the last two, which build up."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import distribution, heavy, image, naming, networks
from bench.api import Client
from bench.engines import REPOSITORY, Engine

_MB = 1_000_000
_RUNNING = 100
_LISTED = 200


@dataclass(frozen=True, slots=True)
class Counts:
    """How many samples one round takes."""

    cycles: int = 40
    runs: int = 20
    execs: int = 40
    lists: int = 50
    warm: int = 3


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table."""

    key: str
    title: str
    unit: str
    bar: str = ""


MEASURES = (
    Measure(
        "cycle", "create + start + wait + remove over the API, `true`, bridge network", "ms", "≤ 25 ms, ≥ 15×"
    ),
    Measure("run", "`docker run --rm` whole, `true`, bridge", "ms", "≤ 60 ms"),
    Measure("exec", "exec create + start + inspect over the API, `true`", "ms", "≥ 8×"),
    Measure("volume", "volume create over the API", "ms", "≥ 5×"),
    Measure("networks", "create + remove of a network", "ms", "≥ 5×"),
    Measure("joining", "connect + disconnect of a running container", "ms", "≥ 5×"),
    Measure(
        "published",
        f"create + start + wait + remove, user-defined network, {networks.PORTS} ports published",
        "ms",
        "≥ 12×",
    ),
    Measure(
        "names",
        f"{naming.QUERIES:,} names asked of a user-defined network's resolver, 8 at a time",
        "s",
        "≥ 3×",
    ),
    Measure("naming", "the answer to one of these, 99th percentile", "ms", "≤ 2 ms"),
    Measure("idle", "idle engine after start, PSS of all its processes", "MB", "≤ 45 MB"),
    Measure("worked", "idle engine after the measures above, PSS", "MB"),
    Measure("container", "engine's PSS per running container, 100 running", "MB", "≤ 0.1 MB"),
    Measure("hundred", "create + start of 100 containers in turn", "s"),
    Measure(
        "printing", f"a container prints {heavy.LINES:,} lines to json-file, start to wait", "s", "≥ 1.5×"
    ),
    Measure("answering", "GET /containers/json meanwhile, 99th percentile", "ms", "≤ 20 ms"),
    Measure("reading", f"`GET /logs` of {heavy.LINES:,} lines", "s", "≥ 2×"),
    Measure("copy_in", "PUT archive: 300 MB in 3,000 files into a running container", "s", "≥ 1×"),
    Measure("copy_out", "GET archive of the same", "s", "≥ 1×"),
    Measure(
        "watching", "the engine's CPU while 100 clients stream stats of 100 containers for 10 s", "s", "≥ 5×"
    ),
    Measure(
        "pull_one", "pull of an image of 300 MB in one layer, from docker-registry on loopback", "s", "≥ 2×"
    ),
    Measure("pull_many", "pull of 300 MB in 20 layers", "s", "≥ 2×"),
    Measure("growth", "the engine's PSS at its highest during the first, above idle", "MB", "≤ 150 MB"),
    Measure("push", "push of the 20 layers to an empty registry", "s", "≥ 1.5×"),
    Measure("save", "save of the image of one layer", "s", "≥ 1.5×"),
    Measure("load", "load of 300 MB in one plain layer", "s", "≥ 1.5×"),
    Measure("images", f"GET /images/json with {distribution.LISTED} images", "ms", "≤ 20 ms"),
    Measure("many", f"GET /containers/json with {heavy.MANY:,} containers", "ms", "≤ 30 ms"),
    Measure("list", "GET /containers/json with 200 containers, 100 of them running", "ms"),
)


@dataclass(slots=True)
class Samples:
    """What one round gave, by measure."""

    values: dict[str, list[float]] = field(default_factory=dict)


def take(engine: Engine, counts: Counts, images: distribution.Images) -> Samples:
    """All measures against a freshly started engine. Raises bench.api.Refused, OSError, RuntimeError."""
    samples = Samples()
    values = samples.values
    client = engine.client()
    values["idle"] = [_settled_pss(engine)]
    values["cycle"] = _timed(lambda: _cycle(client), counts.cycles, counts.warm)
    values["run"] = _runs(engine, counts)
    values["exec"] = _execs(client, counts)
    values["volume"] = _volumes(client, counts)
    values["networks"] = _timed(lambda: networks.change(client), counts.runs, counts.warm)
    with networks.joining(client) as join:
        values["joining"] = _timed(join, counts.runs, counts.warm)
    with networks.publishing(client) as publish:
        values["published"] = _timed(publish, counts.runs, counts.warm)
    asked, slow = naming.answers(engine)
    values["names"], values["naming"] = [asked], [slow]
    before = _settled_pss(engine)
    values["worked"] = [before]
    started = time.perf_counter()
    for _ in range(_RUNNING):
        client.call("POST", f"/containers/{_create(client, 'sleep', '86400')}/start")
    values["hundred"] = [time.perf_counter() - started]
    values["container"] = [(_settled_pss(engine) - before) / _RUNNING]
    running = [entry["Id"] for entry in client.json("GET", "/containers/json")]
    values["watching"] = [heavy.watching(engine, running)]
    for _ in range(_LISTED - _RUNNING):
        _create(client, "true")
    assert len(client.json("GET", "/containers/json?all=1")) == _LISTED
    lists = _timed(lambda: client.call("GET", "/containers/json?all=1"), counts.lists, counts.warm)
    values["list"] = lists
    long = heavy.logs(engine)
    values["printing"], values["reading"], values["answering"] = (
        [long.printing],
        [long.reading],
        [long.answering],
    )
    inside, outside = heavy.copies(engine, heavy.tree())
    values["copy_in"], values["copy_out"] = [inside], [outside]
    values |= _transfers(engine, counts, images)
    for _ in range(heavy.MANY - _LISTED):
        _create(client, "true")
    assert len(client.json("GET", "/containers/json?all=1")) == heavy.MANY
    values["many"] = _timed(lambda: client.call("GET", "/containers/json?all=1"), counts.lists, counts.warm)
    client.close()
    return samples


def _transfers(engine: Engine, counts: Counts, images: distribution.Images) -> dict[str, list[float]]:
    moved = distribution.transfers(engine, images, lambda: sum(_pss(engine.pids())) / _MB)
    client = engine.client()
    client.call("POST", "/images/load?quiet=1", distribution.many())
    listed = _timed(lambda: client.call("GET", "/images/json"), counts.lists, counts.warm)
    client.close()
    return {**{key: [value] for key, value in asdict(moved).items()}, "images": listed}


def docker_cli() -> str:
    """The docker command: $DOCKER, the one on the path, or the one that ./test fetched.

    Raises RuntimeError where there is none.
    """
    fetched = REPOSITORY / ".cache" / "docker" / "docker"
    found = os.environ.get("DOCKER") or shutil.which("docker") or (str(fetched) if fetched.exists() else "")
    if not found:
        raise RuntimeError("the docker command is missing: ./test fetches one, or set $DOCKER")
    return found


def _timed(deed: Callable[[], object], count: int, warm: int) -> list[float]:
    """Milliseconds of each call, without the first `warm`."""
    spent = []
    for _ in range(warm + count):
        started = time.perf_counter()
        deed()
        spent.append((time.perf_counter() - started) * 1000)
    return spent[warm:]


def _create(client: Client, *command: str) -> str:
    made = client.json("POST", "/containers/create", {"Image": image.NAME, "Cmd": list(command)})
    return str(made["Id"])


def _cycle(client: Client) -> None:
    container = _create(client, "true")
    client.call("POST", f"/containers/{container}/start")
    ended = client.json("POST", f"/containers/{container}/wait")
    assert ended["StatusCode"] == 0, ended
    client.call("DELETE", f"/containers/{container}")


def _runs(engine: Engine, counts: Counts) -> list[float]:
    with tempfile.TemporaryDirectory() as settings:
        argv = [docker_cli(), "-H", f"unix://{engine.socket}", "run", "--rm", image.NAME, "true"]
        environment = {"PATH": os.environ["PATH"], "DOCKER_CONFIG": settings, "HOME": settings}

        def run() -> None:
            done = subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
            if done.returncode:
                raise RuntimeError(f"docker run failed on {engine.name}: {done.stderr.decode().strip()}")

        return _timed(run, counts.runs, counts.warm)


def _execs(client: Client, counts: Counts) -> list[float]:
    container = _create(client, "sleep", "86400")
    client.call("POST", f"/containers/{container}/start")
    try:
        return _timed(lambda: _execute(client, container), counts.execs, counts.warm)
    finally:
        client.call("DELETE", f"/containers/{container}?force=1")


def _volumes(client: Client, counts: Counts) -> list[float]:
    names = [f"bench-{number}" for number in range(counts.warm + counts.cycles)]
    left = iter(names)
    spent = _timed(
        lambda: client.call("POST", "/volumes/create", {"Name": next(left)}), counts.cycles, counts.warm
    )
    for name in names:
        client.call("DELETE", f"/volumes/{name}")
    return spent


def _execute(client: Client, container: str) -> None:
    wish = {"AttachStdout": True, "AttachStderr": True, "Cmd": ["true"]}
    key = client.json("POST", f"/containers/{container}/exec", wish)["Id"]
    client.stream(f"/exec/{key}/start", {"Detach": False, "Tty": False})
    assert client.json("GET", f"/exec/{key}/json")["ExitCode"] == 0


def _settled_pss(engine: Engine, tolerance: float = 0.01) -> float:
    """PSS in MB once it stays within `tolerance` for three seconds, or after 30."""
    last, calm, value = 0.0, 0, 0.0
    for _ in range(30):
        time.sleep(1)
        value = sum(_pss(engine.pids())) / _MB
        calm = calm + 1 if abs(value - last) <= tolerance * value else 0
        if calm == 3:
            break
        last = value
    return value


def _pss(pids: list[int]) -> Iterator[int]:
    """Proportional set sizes in bytes. Source: proc(5), /proc/PID/smaps_rollup."""
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        yield sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))
