"""The keys that detach a client, from docker's words to bytes. Pure."""

from lading.errors import InvalidParameter

_DEFAULT = b"\x10\x11"
_CONTROL = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}


def detach_sequence(text: str) -> bytes:
    """ "ctrl-p,ctrl-q" as bytes; empty text stands for just that. Raises InvalidParameter."""
    if not text:
        return _DEFAULT
    return bytes(_key(word, text) for word in text.split(","))


def _key(word: str, text: str) -> int:
    if len(word) == 1 and word.isascii():
        return ord(word)
    control = word.removeprefix("ctrl-")
    if len(control) == 1 and control != word:
        if "a" <= control.lower() <= "z":
            return ord(control.lower()) - ord("a") + 1
        if control in _CONTROL:
            return _CONTROL[control]
    if word == "DEL":
        return 127
    raise InvalidParameter(
        f"Invalid escape keys ({text}) provided: {word!r} is neither a character nor ctrl- and one"
    )
