"""JSON text laid out anew without being read: numbers, escapes and the order of members stay (pure)."""

from __future__ import annotations

_BLANK = " \t\r\n"
_ESCAPED = {letter: f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def indent(text: str, unit: str) -> str:
    """As Go's json.Indent: one member a line, `unit` for each depth, blanks at the end kept."""
    tail = text[len(text.rstrip(_BLANK)) :]
    written: list[str] = []
    depth = 0
    tokens = _tokens(text)
    for position, token in enumerate(tokens):
        following = tokens[position + 1] if position + 1 < len(tokens) else ""
        if token in "{[":
            depth += 1
            written.append(token)
            if following not in ("}", "]"):
                written.append("\n" + unit * depth)
        elif token in "}]":
            depth -= 1
            if tokens[position - 1] not in ("{", "["):
                written.append("\n" + unit * depth)
            written.append(token)
        elif token == ",":
            written.append(",\n" + unit * depth)
        else:
            written.append(": " if token == ":" else token)
    return "".join(written) + tail


def compact(text: str) -> str:
    """Without any blanks, and with what HTML cares about escaped, as Go writes a value it is given."""
    return "".join(
        "".join(_ESCAPED.get(letter, letter) for letter in token) if token[0] == '"' else token
        for token in _tokens(text)
    )


def _tokens(text: str) -> list[str]:
    tokens = []
    position = 0
    while position < len(text):
        start = position
        if text[position] in _BLANK:
            position += 1
            continue
        if text[position] == '"':
            position = _string_end(text, position)
        elif text[position] in "{}[],:":
            position += 1
        else:
            while position < len(text) and text[position] not in '{}[],:"' + _BLANK:
                position += 1
        tokens.append(text[start:position])
    return tokens


def _string_end(text: str, start: int) -> int:
    """Where the string ends that begins at `start`."""
    position = start + 1
    while position < len(text) and text[position] != '"':
        position += 2 if text[position] == "\\" else 1
    return min(position + 1, len(text))
