"""What follows from health checks' results, whatever they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.containers import health
from lading.containers.health import Check, Health, Result, Verdict
from lading.schema.container import ContainerConfig, HealthConfig
from lading.units import NANOSECOND

START = 1_700_000_000 * NANOSECOND


def _check(**wishes: int) -> Check:
    config = ContainerConfig(healthcheck=HealthConfig(test=["CMD", "true"], **wishes))
    check = health.check_of(config)
    assert check is not None
    return check


def _live(check: Check, codes: list[int], step: int = NANOSECOND) -> list[Health]:
    """The health after each of the checks that end so, one every `step`."""
    lived, now = [health.at_start(None)], START
    for code in codes:
        now += step
        result = Result(start_ns=now, end_ns=now, exit_code=code)
        lived.append(health.after(check, lived[-1], result, START))
    return lived


codes = st.lists(st.sampled_from((0, 0, 1, 1, 2, 137, -1)), max_size=40)


@given(codes, st.integers(1, 5))
def test_without_a_start_period_the_last_results_alone_decide(results: list[int], retries: int) -> None:
    for number, shown in enumerate(_live(_check(retries=retries), results)):
        past = results[:number]
        streak = next((n for n, code in enumerate(reversed(past)) if code == 0), len(past))
        assert shown.failing_streak == streak
        if streak >= retries:
            assert shown.status is Verdict.UNHEALTHY
        elif past and streak == 0:
            assert shown.status is Verdict.HEALTHY
        elif 0 not in past:
            assert shown.status is Verdict.STARTING


@given(codes, st.integers(1, 5), st.integers(1, 40))
def test_failures_count_from_the_first_success_or_the_end_of_the_start_period(
    results: list[int], retries: int, period: int
) -> None:
    lived = _live(_check(retries=retries, start_period=period * NANOSECOND), results)
    for number, shown in enumerate(lived):
        past = results[:number]
        if 0 not in past and number < period:
            assert (shown.status, shown.failing_streak) == (Verdict.STARTING, 0)
        if 0 in past[:period]:
            # As if there were no period from the success on.
            first = past.index(0)
            plain = _live(_check(retries=retries), past[first:])[-1]
            assert (shown.status, shown.failing_streak) == (plain.status, plain.failing_streak)


@given(codes)
def test_the_last_five_results_are_kept_in_their_order(results: list[int]) -> None:
    lived = _live(_check(), results)
    for number, shown in enumerate(lived):
        assert [one.exit_code for one in shown.log] == results[:number][-5:]


@given(
    st.sampled_from(Verdict),
    st.integers(0, 100 * NANOSECOND),
    st.integers(NANOSECOND, 50 * NANOSECOND),
)
def test_the_start_interval_holds_while_it_starts(status: Verdict, age: int, period: int) -> None:
    check = _check(interval=7 * NANOSECOND, start_interval=2 * NANOSECOND, start_period=period)
    pause = health.pause_before_next(check, Health(status=status), START, START + age)
    early = status is Verdict.STARTING and age < period
    assert pause == (2 if early else 7) * NANOSECOND


@given(codes, st.integers(-100 * NANOSECOND, 100 * NANOSECOND))
def test_a_daemon_that_comes_back_waits_for_what_is_left_of_a_pause(codes: list[int], late: int) -> None:
    check = _check(interval=7 * NANOSECOND)
    before = _live(check, codes)[-1]
    last = before.log[-1].end_ns if before.log else START
    left = health.left_of_pause(check, before, START, last + late)
    assert 0 <= left <= check.interval
    if 0 <= late <= check.interval:
        assert left == check.interval - late


def test_a_restart_keeps_the_log_and_nothing_else() -> None:
    before = _live(_check(retries=1), [1, 1])[-1]
    assert health.at_end(before).status is Verdict.UNHEALTHY
    again = health.at_start(health.at_end(before))
    assert (again.status, again.failing_streak, again.log) == (Verdict.STARTING, 0, before.log)


@pytest.mark.parametrize(
    ("test", "shell", "words"),
    [
        (["CMD", "a", "b c"], None, ["a", "b c"]),
        (["CMD-SHELL", "a && b"], None, ["/bin/sh", "-c", "a && b"]),
        (["CMD-SHELL", "a && b"], ["/bin/ash", "-ec"], ["/bin/ash", "-ec", "a && b"]),
        (["CMD"], None, [""]),
        (["NONE"], None, None),
        (["WHAT", "a"], None, None),
        ([], None, None),
        (None, None, None),
    ],
)
def test_what_is_run(test: list[str] | None, shell: list[str] | None, words: list[str] | None) -> None:
    check = health.check_of(ContainerConfig(healthcheck=HealthConfig(test=test), shell=shell))
    assert (check and list(check.words)) == words


def test_what_nobody_said_is_as_in_docker() -> None:
    check = _check()
    assert (check.interval, check.timeout, check.start_period, check.start_interval, check.retries) == (
        30 * NANOSECOND, 30 * NANOSECOND, 0, 5 * NANOSECOND, 3,
    )  # fmt: skip


def test_output_is_cut_and_bad_text_is_shown_as_such() -> None:
    assert health.printed(b"a\xff\n") == "a\ufffd\n"
    assert health.printed(b"x" * 4096) == "x" * 4096
    assert health.printed(b"x" * 4097) == "x" * 4096 + "..."


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (NANOSECOND, "1s"),
        (90 * NANOSECOND, "1m30s"),
        (3600 * NANOSECOND, "1h0m0s"),
        (3661 * NANOSECOND + 500_000_000, "1h1m1.5s"),
        (200_000_000, "200ms"),
        (1_500_000, "1.5ms"),
        (1_010_000_000, "1.01s"),
        (0, "0s"),
    ],
)
def test_durations_are_written_as_go_does(nanoseconds: int, text: str) -> None:
    assert health.duration_text(nanoseconds) == text
