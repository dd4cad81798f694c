"""The keys that leave a container running and give the terminal back (pure)."""

from __future__ import annotations

DEFAULT = b"\x10\x11"
"""ctrl-p, ctrl-q."""

_CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_"


def parse_detach_keys(text: str) -> bytes:
    """The bytes of "ctrl-p,ctrl-q" or "x"; the default where the text is empty or no such list."""
    keys = bytearray()
    for word in text.split(",") if text else ():
        if len(word) == 1 and word.isascii():
            keys += word.encode()
        elif word.startswith("ctrl-") and len(word) == 6 and word[5] in _CONTROL:
            keys.append(_CONTROL.index(word[5]))
        else:
            return DEFAULT
    return bytes(keys) or DEFAULT


class DetachScanner:
    """Watches what is typed. Keys that may begin the sequence are held back until it is decided."""

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._matched = 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """What may go to the container, and whether the sequence is complete."""
        passed = bytearray()
        for byte in data:
            while self._matched and byte != self._keys[self._matched]:
                passed += self._give_up_one()
            if byte == self._keys[self._matched]:
                self._matched += 1
                if self._matched == len(self._keys):
                    self._matched = 0
                    return bytes(passed), True
            else:
                passed.append(byte)
        return bytes(passed), False

    def _give_up_one(self) -> bytes:
        """Lets go of as few held keys as possible, so that a sequence inside them still counts."""
        held = self._keys[: self._matched]
        for start in range(1, self._matched + 1):
            if self._keys.startswith(held[start:]):
                self._matched -= start
                return held[:start]
        return b""
