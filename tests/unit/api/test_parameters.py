"""Query parameters as docker's handlers read them."""

import pytest

from lading.api import decode
from lading.api.router import Call
from lading.errors import InvalidParameter
from lading.http import Headers, Request


def _call(query: str) -> Call:
    request = Request("GET", f"/x?{query}", Headers(), None, None, None)  # type: ignore[arg-type]
    return Call(request, {}, (1, 51))


@pytest.mark.parametrize("text", ["", "0", "no", "No", "false", "FALSE", "none", " None "])
def test_dockers_words_for_false(text: str) -> None:
    assert not decode.flag(_call(f"all={text.replace(' ', '%20')}"), "all", default=True)


@pytest.mark.parametrize("text", ["1", "true", "True", "yes", "on", "2", "anything"])
def test_every_other_word_is_true(text: str) -> None:
    assert decode.flag(_call(f"all={text}"), "all")


def test_an_absent_flag_has_its_default() -> None:
    assert decode.flag(_call(""), "all", default=True)
    assert not decode.flag(_call("other=1"), "all")
    assert decode.flag(_call("all=1&all=0"), "all")


@pytest.mark.parametrize(("text", "number"), [("10", 10), ("-1", -1), ("%2B5", 5), ("007", 7), ("", None)])
def test_whole_numbers(text: str, number: int | None) -> None:
    assert decode.integer(_call(f"t={text}"), "t") == number


@pytest.mark.parametrize("text", ["1.5", "1_000", "ten", "0x10", "%D9%A3", "9" * 30, "1%20"])
def test_what_is_no_whole_number_is_named(text: str) -> None:
    with pytest.raises(InvalidParameter, match="parameter t: a whole number is needed"):
        decode.integer(_call(f"t={text}"), "t")


def test_a_terminal_has_two_sizes() -> None:
    assert decode.size(_call("h=24&w=80")) == (24, 80)
    for query in ("h=24", "h=-1&w=80", "h=24&w=70000", "h=a&w=b"):
        with pytest.raises(InvalidParameter):
            decode.size(_call(query))
