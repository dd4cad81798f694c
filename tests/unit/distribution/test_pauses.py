"""How long is waited before asking again."""

from hypothesis import given
from hypothesis import strategies as st

from lading.distribution.pauses import growing, retry_after

_CHANCE = st.floats(0, 1)


@given(st.integers(1, 1000), st.floats(0.001, 10), _CHANCE)
def test_pauses_grow_to_a_limit(attempt: int, first: float, chance: float) -> None:
    assert 0 < growing(attempt, first, chance) <= 25
    assert growing(attempt, first, 0.5) <= growing(attempt + 1, first, 0.5)


def test_what_registries_say() -> None:
    assert retry_after("7", 0) == 7
    assert retry_after(" 120 ", 0) == 120
    assert retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784111777 - 9) == 9
    assert retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784111777 + 9) == 0
    for nonsense in ("", "soon", "-1", "1.5", "²"):
        assert retry_after(nonsense, 0) == 0


@given(st.text())
def test_nothing_a_registry_says_makes_it_fail(text: str) -> None:
    assert retry_after(text, 0) >= 0
