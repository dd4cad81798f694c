"""Image references as users write them (distribution reference grammar).

Pure, and without regular expressions: `run` reads a reference before every
container it makes.
"""

from __future__ import annotations

from lading.cli.errors import CommandFailed

_DEFAULT_DOMAIN = "docker.io"
_LONGEST_NAME = 255
_LONGEST_TAG = 128


class Reference:
    """A parsed reference; `tag` and `digest` are "" where there is none."""

    __slots__ = ("digest", "domain", "path", "tag")

    def __init__(self, domain: str, path: str, tag: str, digest: str) -> None:
        self.domain = domain
        self.path = path
        self.tag = tag
        self.digest = digest

    @property
    def name(self) -> str:
        """The full name: docker.io/library/busybox."""
        return f"{self.domain}/{self.path}"

    def full(self) -> str:
        """The full name with tag and digest: docker.io/library/busybox:latest."""
        return f"{self.name}{self.tag and ':'}{self.tag}{self.digest and '@'}{self.digest}"

    def familiar(self) -> str:
        """The name people use: busybox:latest."""
        name = self.name
        if self.domain == _DEFAULT_DOMAIN:
            name = self.path.removeprefix("library/")
        tag = self.tag or ("" if self.digest else "latest")
        return name + (f":{tag}" if tag else "") + (f"@{self.digest}" if self.digest else "")


def is_identifier(text: str) -> bool:
    """Whether `text` is a whole image ID without its algorithm."""
    return len(text) == 64 and _consists_of(text, "0123456789abcdef")


def parse_reference(text: str) -> Reference:
    """Raises CommandFailed with docker's words."""
    rest, at, digest = text.partition("@")
    if at and not _is_digest(digest):
        raise CommandFailed("invalid reference format")
    if is_identifier(text):
        raise CommandFailed(f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings")
    domain, path = _split_domain(rest)
    tag = ""
    colon = path.rfind(":")
    if colon >= 0:
        path, tag = path[:colon], path[colon + 1 :]
        if not _is_tag(tag):
            tag = "/"
    if path != path.lower():
        raise CommandFailed(f"invalid reference format: repository name ({path}) must be lowercase")
    if tag == "/" or not _is_path(path) or not _is_domain(domain):
        raise CommandFailed("invalid reference format")
    if len(f"{domain}/{path}") > _LONGEST_NAME:
        raise CommandFailed("repository name must not be more than 255 characters")
    return Reference(domain, path, tag, digest)


def _split_domain(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        return _DEFAULT_DOMAIN, text if slash else f"library/{text}"
    if first == "index.docker.io":
        first = _DEFAULT_DOMAIN
    if first == _DEFAULT_DOMAIN and "/" not in rest:
        rest = f"library/{rest}"
    return first, rest


def _consists_of(text: str, characters: str) -> bool:
    return bool(text) and all(character in characters for character in text)


_LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"
_LETTERS = _LOWER + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _is_path(path: str) -> bool:
    return all(map(_is_component, path.split("/")))


def _is_component(component: str) -> bool:
    """Letters and digits, joined by one dot, one or two underscores, or hyphens."""
    if not _consists_of(component, _LOWER + "._-") or component[0] in "._-" or component[-1] in "._-":
        return False
    separator = ""
    for character in component:
        if character in "._-":
            separator += character
            continue
        if separator not in ("", ".", "_", "__") and separator.strip("-"):
            return False
        separator = ""
    return True


def _is_tag(tag: str) -> bool:
    return (
        len(tag) <= _LONGEST_TAG
        and _consists_of(tag[:1], _LETTERS + "_")
        and _consists_of(tag, _LETTERS + "_.-")
    )


def _is_domain(domain: str) -> bool:
    host, colon, port = domain.partition(":")
    if domain.startswith("["):
        host, _, rest = domain[1:].partition("]")
        colon, port = rest[:1], rest[1:]
        return _consists_of(host, "0123456789abcdefABCDEF:") and (
            not rest or (colon == ":" and port.isdecimal())
        )
    labels = host.split(".")
    whole = all(_consists_of(label, _LETTERS + "-") and label.strip("-") == label for label in labels)
    return whole and (not colon or port.isdecimal())


def _is_digest(digest: str) -> bool:
    algorithm, colon, value = digest.partition(":")
    return (
        bool(colon)
        and _consists_of(algorithm, _LETTERS + "+._-")
        and algorithm[0].isalpha()
        and len(value) >= 32
        and _consists_of(value, "0123456789abcdefABCDEF")
    )
