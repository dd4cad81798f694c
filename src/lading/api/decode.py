"""Bodies and parameters as Go's decoder and docker's handlers read them."""

import re
from typing import TypeVar

import msgspec

from lading.api.go_json import reading
from lading.api.router import Call
from lading.errors import InvalidParameter
from lading.oci import platforms
from lading.oci.image import Platform

T = TypeVar("T", bound=msgspec.Struct)

BODY_LIMIT = 16 * 1024 * 1024
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}\Z")
# No name, path or argument can hold it; the kernel takes it for the end.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_FALSE = ("", "0", "no", "false", "none")


def flag(call: Call, name: str, default: bool = False) -> bool:
    """A boolean parameter: anything but docker's words for false is true."""
    values = call.request.query.get(name)
    return values[0].strip().lower() not in _FALSE if values else default


def integer(call: Call, name: str, default: int | None = None) -> int | None:
    """A whole number. Raises InvalidParameter."""
    text = call.query(name)
    if not text:
        return default
    if _INTEGER.match(text) is None:
        raise InvalidParameter(f'invalid value "{text}" for parameter {name}: a whole number is needed')
    return int(text)


def platform(call: Call) -> Platform | None:
    """The `platform` parameter, or None. Raises InvalidParameter."""
    text = call.query("platform")
    return platforms.decode(text) if text else None


def platform_list(call: Call) -> list[Platform]:
    """The `platform` parameters of saving and loading (API 1.48; several since 1.52).

    Raises InvalidParameter.
    """
    texts = [text for text in call.request.query.get("platform", []) if text]
    if call.version < (1, 48):
        return []
    if len(texts) > 1 and call.version < (1, 52):
        raise InvalidParameter(
            "multiple platform parameters are not supported in this API version; "
            "use API version 1.52 or later"
        )
    return platforms.decode_all(texts)


def size(call: Call) -> tuple[int, int]:
    """The terminal size in `h` and `w`, in characters. Raises InvalidParameter."""
    height, width = integer(call, "h"), integer(call, "w")
    if height is None or width is None or not (0 <= height < 65536 and 0 <= width < 65536):
        raise InvalidParameter("invalid terminal size: h and w must be whole numbers")
    return height, width


async def body(call: Call, kind: type[T], *, optional: bool = False) -> T:
    """The request's JSON body as `kind`, read as Go reads it.

    Raises InvalidParameter, saying which field is wrong.
    """
    raw = await call.request.body(BODY_LIMIT)
    if not raw.strip():
        if optional:
            return kind()
        raise InvalidParameter("invalid JSON: got EOF while reading request body")
    _check_content_type(call.request.headers.get("content-type"))
    return decode(raw, kind)


def _check_content_type(text: str) -> None:
    media_type = text.partition(";")[0].strip().lower()
    if not media_type:
        raise InvalidParameter(f"malformed Content-Type header ({text}): mime: no media type")
    if media_type != "application/json":
        raise InvalidParameter(f"unsupported Content-Type header ({text}): must be 'application/json'")


def decode(raw: bytes, kind: type[T]) -> T:
    """JSON text as `kind`. Raises InvalidParameter.

    Not straight into the type, although that is faster by 17 us for the body
    of a create: a key in another case would then be passed over in silence.
    """
    read = reading(kind)
    assert read is not None
    if _NUL.search(raw) is not None:
        raise InvalidParameter("invalid JSON: strings must not contain the character NUL")
    try:
        value = msgspec.json.decode(raw)
        return kind() if value is None else msgspec.convert(read(value), kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidParameter(f"invalid JSON: {error}") from None
