"""Finding the detach keys in what a user types."""


class DetachKeys:
    """Looks for a sequence of keys across reads; holds back what may be its beginning."""

    __slots__ = ("_held", "keys")

    def __init__(self, keys: bytes, held: bytes = b"") -> None:
        self.keys = keys
        self._held = held

    @property
    def held(self) -> bytes:
        """What was typed so far of the sequence."""
        return self._held

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """What is to be passed on, and whether the user has asked to be detached."""
        if not self.keys:
            return data, False
        text = self._held + data
        found = text.find(self.keys)
        if found >= 0:
            self._held = b""
            return text[:found], True
        for length in range(min(len(self.keys) - 1, len(text)), 0, -1):
            if text.endswith(self.keys[:length]):
                self._held = text[-length:]
                return text[:-length], False
        self._held = b""
        return text, False
