"""JSON without the price of importing `json`.

`json` pulls in `re` and `enum`, which takes longer than a whole request to the
engine. The C scanner and encoder behind it need neither, so they are used
directly where the interpreter has them in the known shape; everywhere else
`json` does the work.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class _Context:
    """What the C scanner reads its options from (CPython, Modules/_json.c, scanner_new)."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _build() -> tuple[Callable[[str], Any], Callable[[Any], str]]:
    try:
        import _json  # noqa: PLC0415 - may be missing

        scan = _json.make_scanner(_Context())  # type: ignore[arg-type]
        encode = _json.make_encoder(
            None, _refuse, _json.encode_basestring_ascii, None, ":", ",", False, False, False
        )
        if scan('{"a": [1]}', 0) != ({"a": [1]}, 10) or "".join(encode({"a": [1]}, 0)) != '{"a":[1]}':
            raise TypeError
    except (ImportError, AttributeError, TypeError):
        return _portable()

    def quick_loads(text: str) -> Any:
        text = text.strip(" \t\r\n")
        try:
            value, end = scan(text, 0)
        except StopIteration:
            raise ValueError("not JSON") from None
        if end != len(text):
            raise ValueError("more than one JSON value")
        return value

    def quick_dumps(value: Any) -> str:
        return "".join(encode(value, 0))

    return quick_loads, quick_dumps


def _portable() -> tuple[Callable[[str], Any], Callable[[Any], str]]:
    import json  # noqa: PLC0415 - what this module is there to avoid

    return json.loads, lambda value: json.dumps(value, separators=(",", ":"))


_loads, _dumps = _build()


def loads(data: bytes | str) -> Any:
    """The value JSON text stands for. Raises ValueError."""
    return _loads(data if isinstance(data, str) else data.decode("utf-8", "surrogateescape"))


def dumps(value: Any) -> bytes:
    """Compact JSON. Raises TypeError for what has no JSON form."""
    return _dumps(value).encode("ascii")
