"""Restart policies, names, signals and workers."""

import asyncio
import signal

import pytest

from lading.containers import names, restarts
from lading.containers.signals import parse_signal
from lading.containers.workers import Worker
from lading.errors import InvalidParameter
from lading.schema.container import RestartPolicy


@pytest.mark.parametrize(
    ("name", "retries", "code", "restarted", "by_user", "again"),
    [
        ("no", 0, 1, 0, False, False),
        ("always", 0, 0, 99, False, True),
        ("always", 0, 0, 0, True, False),
        ("unless-stopped", 0, 1, 0, False, True),
        ("on-failure", 0, 0, 0, False, False),
        ("on-failure", 0, 1, 50, False, True),
        ("on-failure", 3, 1, 2, False, True),
        ("on-failure", 3, 1, 3, False, False),
    ],
)
def test_after_an_exit(
    name: str, retries: int, code: int, restarted: int, by_user: bool, again: bool
) -> None:
    policy = RestartPolicy(name=name, maximum_retry_count=retries)
    assert restarts.after_exit(policy, code, restarted, by_user) is again


def test_at_engine_start_always_forgets_a_stop_and_unless_stopped_does_not() -> None:
    def decide(name: str, *, by_user: bool, was_running: bool = False) -> bool:
        return restarts.at_engine_start(
            RestartPolicy(name=name),
            was_running=was_running,
            exit_code=1,
            restarts=0,
            stopped_by_user=by_user,
        )

    assert decide("always", by_user=True)
    assert not decide("unless-stopped", by_user=True)
    assert decide("unless-stopped", by_user=False)
    assert decide("on-failure", by_user=False, was_running=True)
    assert not decide("on-failure", by_user=False)
    assert not decide("no", by_user=False, was_running=True)


def test_the_delay_doubles_to_a_minute_and_starts_anew_after_a_good_run() -> None:
    delays = [0.0]
    for _ in range(12):
        delays.append(restarts.next_delay(delays[-1], ran_seconds=1))
    assert delays[1:4] == [0.1, 0.2, 0.4]
    assert delays[-1] == 60
    assert restarts.next_delay(60, ran_seconds=11) == 0.1


@pytest.mark.parametrize(
    ("policy", "auto_remove", "said"),
    [
        (RestartPolicy(name="sometimes"), False, "unknown policy 'sometimes'"),
        (RestartPolicy(name="always", maximum_retry_count=1), False, "maximum retry count"),
        (RestartPolicy(name="on-failure", maximum_retry_count=-1), False, "cannot be negative"),
        (RestartPolicy(name="always"), True, "can't create 'AutoRemove' container with restart policy"),
    ],
)
def test_impossible_policies_are_refused(policy: RestartPolicy, auto_remove: bool, said: str) -> None:
    with pytest.raises(InvalidParameter, match=said):
        restarts.check(policy, auto_remove)


@pytest.mark.parametrize("name", ["a", "-x", ".x", "a b", "a/b", "ä1", "x" + chr(10)])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidParameter, match="Invalid container name"):
        names.check(name)


def test_a_leading_slash_is_allowed() -> None:
    assert names.check("/web-1") == "web-1"


def test_invented_names_are_valid_and_free() -> None:
    class Everything:
        def __contains__(self, name: object) -> bool:
            return str(name)[-1].isalpha()

    assert names.check(names.invent(())).count("_") == 1
    assert names.invent(Everything())[-1].isdecimal()


@pytest.mark.parametrize(
    ("text", "number"), [("9", 9), ("KILL", 9), ("sigterm", 15), ("SIGRTMIN+3", signal.SIGRTMIN + 3)]
)
def test_signals(text: str, number: int) -> None:
    assert parse_signal(text) == number


@pytest.mark.parametrize("text", ["", "0", "999", "SIGNOPE", "RTMIN+99", "RTMIN-1", "-9"])
def test_bad_signals_are_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="Invalid signal"):
        parse_signal(text)


def test_a_worker_does_one_thing_at_a_time_and_survives_failures() -> None:
    async def scenario() -> list[str]:
        worker, seen = Worker("w"), []

        async def step(name: str, *, fail: bool = False) -> str:
            seen.append(f"{name} begins")
            await asyncio.sleep(0)
            seen.append(f"{name} ends")
            if fail:
                raise ValueError(name)
            return name

        results = await asyncio.gather(
            worker.do(lambda: step("a", fail=True)), worker.do(lambda: step("b")), return_exceptions=True
        )
        assert isinstance(results[0], ValueError)
        assert results[1] == "b"
        assert worker.idle
        return seen

    assert asyncio.run(scenario()) == ["a begins", "a ends", "b begins", "b ends"]


def test_work_goes_on_though_its_client_has_gone() -> None:
    async def scenario() -> bool:
        worker, done = Worker("w"), asyncio.Event()

        async def slow() -> None:
            await asyncio.sleep(0.01)
            done.set()

        client = asyncio.create_task(worker.do(slow))
        await asyncio.sleep(0)
        client.cancel()
        await asyncio.wait_for(done.wait(), 5)
        return done.is_set()

    assert asyncio.run(scenario())
