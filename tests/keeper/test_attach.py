"""Clients attached to a process: what they get, what they send, how they leave."""

import json

import pytest
from tests.keeper.driver import KeeperProcess


def frame(stream: int, text: bytes) -> bytes:
    return bytes((stream, 0, 0, 0)) + len(text).to_bytes(4, "big") + text


def test_who_attaches_before_the_start_misses_nothing(keeper: KeeperProcess) -> None:
    user = keeper.attach("a")
    keeper.launch("a", "echo", "the very first")
    assert user.read_all() == b"the very first\n"


def test_who_attaches_later_gets_what_comes_then(keeper: KeeperProcess) -> None:
    first = keeper.attach("a")
    keeper.launch("a", "sh", "-c", "echo early; read x; echo late", open_stdin=True)
    first.read_until(b"early\n")
    second = keeper.attach("a")
    second.send(b"\n")
    assert second.read_all() == b"late\n"
    assert first.read_all() == b"late\n"


def test_streams_are_framed_on_request(keeper: KeeperProcess) -> None:
    user = keeper.attach("a", framed=True)
    keeper.launch("a", "sh", "-c", "echo out; read x; echo err >&2", open_stdin=True)
    assert user.read_until(b"out\n") == frame(1, b"out\n")
    user.send(b"\n")
    assert user.read_all() == frame(2, b"err\n")


@pytest.mark.parametrize(("wishes", "text"), [({"stderr": False}, b"out\n"), ({"stdout": False}, b"err\n")])
def test_one_stream_only(keeper: KeeperProcess, wishes: dict[str, bool], text: bytes) -> None:
    user = keeper.attach("a", **wishes)
    keeper.launch("a", "sh", "-c", "echo out; echo err >&2")
    assert user.read_all() == text


def test_the_end_of_a_clients_input_ends_stdin_once(keeper: KeeperProcess) -> None:
    user = keeper.attach("a")
    user.send(b"some\nlines\n")
    user.half_close()
    keeper.launch("a", "sort", open_stdin=True, stdin_once=True)
    assert user.read_all() == b"lines\nsome\n"


def test_stdin_that_is_not_once_waits_for_the_next_client(keeper: KeeperProcess) -> None:
    keeper.launch("a", "cat", open_stdin=True)
    first = keeper.attach("a")
    first.send(b"one\n")
    first.half_close()
    first.read_until(b"one\n")
    second = keeper.attach("a")
    second.send(b"two\n")
    second.read_until(b"two\n")
    keeper.daemon.ask("close_stdin", key="a")
    assert second.read_all() == b""
    assert keeper.daemon.wait("exit", "a")["code"] == 0


def test_what_came_with_the_request_is_input_too(keeper: KeeperProcess) -> None:
    user = keeper.attach("a", early=b"early ".hex())
    user.send(b"and late\n")
    keeper.launch("a", "head", "-n", "1", open_stdin=True)
    assert user.read_all() == b"early and late\n"


def test_much_goes_through_in_both_directions(keeper: KeeperProcess) -> None:
    user = keeper.attach("a")
    sink = {"driver": "none", "path": ""}
    keeper.launch("a", "cat", open_stdin=True, stdin_once=True, sink=sink)
    data = bytes(range(256)) * 40_000
    user.socket.setblocking(False)
    sent, got = 0, bytearray()
    while len(got) < len(data):
        if sent < len(data):
            try:
                sent += user.socket.send(data[sent : sent + 100_000])
            except BlockingIOError:
                pass
        try:
            got += user.socket.recv(1 << 20)
        except BlockingIOError:
            pass
    assert got == data


def test_a_slow_client_holds_the_container_back_and_loses_nothing(keeper: KeeperProcess) -> None:
    user = keeper.attach("a")
    keeper.launch("a", "sh", "-c", "seq 1 2000000", sink={"driver": "none", "path": ""})
    user.read_until(b"1000\n")
    # The process cannot have ended: some megabytes are still to come and nobody has room for them.
    assert keeper.daemon.ask("handles", key="a")[0]["ok"]["facts"]["state"] == "running"
    assert user.read_all().splitlines()[-1] == b"2000000"


def test_a_client_that_vanishes_does_not_hold_the_container_back(keeper: KeeperProcess) -> None:
    user = keeper.attach("a")
    stays = keeper.attach("a", stdout=False)
    keeper.launch("a", "sh", "-c", "seq 1 2000000; echo done >&2", sink={"driver": "none", "path": ""})
    user.read_until(b"1000\n")
    user.socket.close()
    assert stays.read_all() == b"done\n"
    assert keeper.daemon.wait("exit", "a")["code"] == 0


def test_a_client_that_vanishes_before_the_start_is_dropped(keeper: KeeperProcess) -> None:
    user = keeper.attach("a")
    user.socket.close()
    assert keeper.daemon.wait("gone", "a")


def test_waiting_clients_are_let_go_when_nothing_starts(keeper: KeeperProcess) -> None:
    user = keeper.attach("a")
    keeper.daemon.ask("forget", key="a")
    assert user.read_all() == b""
    user = keeper.attach("a")
    keeper.runtime.write_text("#!/bin/sh\nexit 1\n")
    keeper.launch("a", "true")
    keeper.daemon.ask("forget", key="a")
    assert user.read_all() == b""


def test_an_ended_process_takes_no_clients(keeper: KeeperProcess) -> None:
    keeper.launch("a", "true")
    keeper.daemon.wait("exit", "a")
    with pytest.raises(AssertionError, match="has ended"):
        keeper.attach("a")


def test_input_nobody_reads_does_not_end_the_output(keeper: KeeperProcess) -> None:
    user = keeper.attach("a")
    keeper.launch("a", "sh", "-c", "exec 0<&-; echo closed; sleep 0.2; echo end", open_stdin=True)
    user.read_until(b"closed\n")
    user.send(b"x" * 1000)
    user.half_close()
    assert user.read_all() == b"end\n"


def test_detach_keys_mean_nothing_without_a_terminal(keeper: KeeperProcess) -> None:
    user = keeper.attach("a", detach_keys=b"\x10\x11".hex())
    user.send(b"a\x10\x11b")
    user.half_close()
    keeper.launch("a", "cat", open_stdin=True, stdin_once=True)
    assert user.read_all() == b"a\x10\x11b"


def test_the_log_is_written_with_or_without_clients(keeper: KeeperProcess) -> None:
    keeper.launch("a", "sh", "-c", "echo out; echo err >&2; printf unfinished")
    keeper.daemon.wait("exit", "a")
    records = [json.loads(line) for line in keeper.log_path("a").read_text().splitlines()]
    assert {(record["stream"], record["log"]) for record in records} == {
        ("stdout", "out\n"),
        ("stderr", "err\n"),
        ("stdout", "unfinished"),
    }
