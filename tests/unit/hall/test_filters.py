"""The filters parameter in both its forms."""

import pytest

from lading.errors import InvalidParameter
from lading.filters import Filters


def test_both_forms_mean_the_same() -> None:
    for text in ('{"name":["a","b"]}', '{"name":{"a":true,"b":true,"c":false}}'):
        filters = Filters.parse(text, ["name"])
        assert sorted(filters.get("name")) == ["a", "b"]


@pytest.mark.parametrize("text", ["{", "[]", '{"name":"a"}', '{"name":[1]}', '{"unknown":["x"]}'])
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid filter"):
        Filters.parse(text, ["name"])


def test_labels_must_all_match() -> None:
    filters = Filters({"label": ["a", "b=2"]})
    assert filters.labels({"a": "1", "b": "2"})
    assert not filters.labels({"a": "1", "b": "3"})
    assert not filters.labels(None)


def test_a_pattern_that_is_no_regular_expression_is_plain_text() -> None:
    filters = Filters({"name": ["a["]})
    assert filters.fuzzy("name", "xa[y")
    assert not filters.fuzzy("name", "xay")


def test_flags() -> None:
    assert Filters().flag("dangling") is None
    assert Filters({"dangling": ["true"]}).flag("dangling") is True
    assert Filters({"dangling": ["0"]}).flag("dangling") is False
    with pytest.raises(InvalidParameter):
        Filters({"dangling": ["maybe"]}).flag("dangling")
