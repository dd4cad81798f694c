"""Whatever is asked of running containers, the answer is never that the engine failed."""

import socket
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.engine import Engine

_NUMBERS = st.one_of(
    st.sampled_from([0, 1, -1, 2, 999, 1000, 6 << 20, 64 << 20, 1 << 40, (1 << 63) - 1, -(1 << 63), 1 << 63]),
    st.integers(-(1 << 64), 1 << 64),
)
_SETS = st.one_of(st.sampled_from(["", "0", "0-1", "9", "0,", "-", "0 ,0", "0\n"]), st.text(max_size=8))
_DEVICES = st.lists(
    st.fixed_dictionaries({}, optional={"Path": st.text(max_size=12), "Rate": _NUMBERS, "Weight": _NUMBERS}),
    max_size=2,
)
_WISHES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(
        (
            *("BlkioWeight", "CpuShares", "NanoCpus", "CpuPeriod", "CpuQuota", "CpuRealtimePeriod"),
            *("CpuRealtimeRuntime", "Memory", "MemorySwap", "MemoryReservation", "PidsLimit"),
        ),
        _NUMBERS,
    ),
    **dict.fromkeys(("CpusetCpus", "CpusetMems"), _SETS),
    **dict.fromkeys(("BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteIOps"), _DEVICES),
    "RestartPolicy": st.fixed_dictionaries(
        {},
        optional={
            "Name": st.sampled_from(["", "no", "always", "x", "on-failure"]),
            "MaximumRetryCount": _NUMBERS,
        },
    ),
}
_HURRIED = settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def running(engine: Engine) -> str:
    """A container that goes on."""
    _, made = engine.create(Cmd=["sleep", "1000"])
    name: str = made["Id"]
    assert engine.api("POST", f"/containers/{name}/start")[0] == 204
    return name


def _check(engine: Engine, name: str) -> None:
    assert engine.get(f"/containers/{name}/json")["State"]["Running"]
    assert "Traceback" not in engine.log()


def test_any_wish_for_limits(engine: Engine, running: str) -> None:
    @_HURRIED
    @given(st.fixed_dictionaries({}, optional=_WISHES))
    def ask(body: dict[str, Any]) -> None:
        status, answer = engine.api("POST", f"/containers/{running}/update", body)
        assert status in (200, 400, 409), answer

    ask()
    _check(engine, running)
    # What was taken can be put into force again.
    assert engine.api("POST", f"/containers/{running}/restart?t=0")[0] == 204


def test_any_words_for_ps(engine: Engine, running: str) -> None:
    words = ["-ef", "-o", "pid", "pid,", "-q", "1", "--sort", "-", "--", "aux", "\0", "\n", "pid=PID", "é"]

    @_HURRIED
    @given(st.lists(st.one_of(st.sampled_from(words), st.text(max_size=6)), max_size=4))
    def ask(arguments: list[str]) -> None:
        text = quote(" ".join(arguments).encode("utf-8", "surrogatepass"))
        status, answer = engine.api("GET", f"/containers/{running}/top?ps_args={text}")
        # What ps complains of comes as docker gives it.
        assert status in (200, 400, 500), answer
        assert "the engine failed" not in str(answer)

    ask()
    _check(engine, running)


def test_any_change_of_a_commit(engine: Engine) -> None:
    _, made = engine.create(Cmd=["true"])
    instructions = [
        "CMD",
        "ENV",
        "EXPOSE",
        "VOLUME",
        "LABEL",
        "USER",
        "WORKDIR",
        "HEALTHCHECK",
        "ONBUILD",
        "X",
    ]
    rests = [
        "",
        "[",
        '["a"]',
        "a=b",
        "a b",
        "1",
        "70000",
        '"',
        "\0",
        "\ud800",
        "--interval=1s CMD x",
        "CMD x",
    ]

    @_HURRIED
    @given(
        st.sampled_from(instructions),
        st.one_of(st.sampled_from(rests), st.text(max_size=8)),
        st.sampled_from(["", "ok", "UP", "..", "a@b", "a:b:c", "\0", "x/" * 200]),
    )
    def ask(instruction: str, rest: str, repository: str) -> None:
        change = quote(f"{instruction} {rest}".encode("utf-8", "surrogatepass"))
        path = f"/commit?container={made['Id']}&changes={change}&repo={quote(repository)}"
        status, answer = engine.api("POST", path)
        assert status in (201, 400), answer
        if status == 201:
            engine.api("DELETE", f"/images/{answer['Id']}?force=1")

    ask()
    assert "Traceback" not in engine.log()


@pytest.mark.parametrize(
    "filters",
    ["{", "[]", '{"until": ["x"]}', '{"until": [""]}', '{"label": "x"}', '{"x": ["y"]}', '{"until": [1]}'],
)
def test_filters_of_a_prune(engine: Engine, filters: str) -> None:
    assert engine.api("POST", f"/containers/prune?filters={quote(filters)}")[0] == 400


@pytest.mark.parametrize(
    "garbage", [b"\x81\xff" + b"\xff" * 8 + b"mask", b"\x8f\x80mask", b"\xff" * 64, b"GET / HTTP/1.1\r\n\r\n"]
)
def test_frames_of_no_sense(engine: Engine, running: str, garbage: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(engine.socket))
        client.sendall(
            f"GET /containers/{running}/attach/ws?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
            + garbage
        )
        client.shutdown(socket.SHUT_WR)
        while client.recv(4096):
            pass
    _check(engine, running)
