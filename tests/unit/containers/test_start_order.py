"""In which order containers are started with the engine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.containers.start_order import Wish, order, unknown_when, wish_of


def test_labels_name_whom_to_follow() -> None:
    labels = {"lading.start.after": " db, /cache,,db", "lading.start.when": "healthy"}
    assert wish_of(labels) == Wish(("db", "cache"), healthy=True)
    assert wish_of({}) == Wish()


@pytest.mark.parametrize(("value", "told"), [("healthy", None), ("started", None), ("ready", "ready")])
def test_what_to_wait_for_is_one_of_two(value: str, told: str | None) -> None:
    assert unknown_when({"lading.start.when": value}) == told
    assert unknown_when({}) is None


def test_nobody_waits_for_those_who_are_not_there() -> None:
    follows, problems = order({"web": Wish(("db", "ghost"))}, {"web", "db"})
    assert follows == {"web": ("db",)}
    assert problems == ["container web does not wait for ghost, which neither runs nor is to be started"]


def test_a_circle_is_told_once_and_what_hangs_on_it_still_waits() -> None:
    wishes = {"a": Wish(("b",)), "b": Wish(("c", "d")), "c": Wish(("a",)), "d": Wish(), "e": Wish(("a",))}
    follows, problems = order(wishes, wishes)
    assert follows == {"b": ("d",), "e": ("a",)}
    assert problems == ["containers a, b, c wait for each other: none of them does"]
    assert order({"a": Wish(("a",))}, {"a"})[0] == {}


names = st.sampled_from("abcdefg")


@given(st.dictionaries(names, st.lists(names, max_size=4, unique=True)), st.sets(names))
def test_whatever_is_asked_everybody_gets_his_turn(wishes: dict[str, list[str]], running: set[str]) -> None:
    asked = {name: Wish(tuple(after)) for name, after in wishes.items()}
    follows, _ = order(asked, asked.keys() | running)
    started = running - asked.keys()
    for _ in asked:
        started |= {name for name in asked if started.issuperset(follows.get(name, ()))}
    assert started >= asked.keys()
    for name, others in follows.items():
        assert set(others) <= set(wishes[name])
