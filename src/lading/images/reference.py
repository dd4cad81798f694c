"""Names of images: parsing and Docker's short ("familiar") form.

Source: the distribution project's reference grammar, version 0.6, and its
normalization: `busybox` means `docker.io/library/busybox:latest`. Pure.
"""

import re
from dataclasses import dataclass, replace

from lading.errors import InvalidParameter

DEFAULT_DOMAIN = "docker.io"
DEFAULT_TAG = "latest"

_OFFICIAL = "library/"
_MAX_PATH = 255

_component = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_domain = rf"(?:{_component}(?:\.{_component})*|\[(?:[a-fA-F0-9:]+)\])(?::[0-9]+)?"
_path_component = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_path = rf"{_path_component}(?:/{_path_component})*"
_tag = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_digest = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"

_REFERENCE = re.compile(rf"({_domain})/({_path})(?::({_tag}))?(?:@({_digest}))?\Z")
_TAG = re.compile(rf"{_tag}\Z")
_HEX_ID = re.compile(r"[a-f0-9]{64}\Z")
_DIGEST = re.compile(rf"{_digest}\Z")
_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


@dataclass(frozen=True, slots=True)
class Reference:
    """A name with its registry, and a tag, a digest, both or neither."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The repository, with its registry."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """The repository as people write it."""
        if self.domain != DEFAULT_DOMAIN:
            return self.name
        short = self.path.removeprefix(_OFFICIAL)
        return self.path if "/" in short else short

    @property
    def familiar(self) -> str:
        """All of it as people write it."""
        return self.familiar_name + self._suffix

    @property
    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def __str__(self) -> str:
        return self.name + self._suffix

    def tagged(self) -> "Reference":
        """With the default tag where it has neither tag nor digest."""
        return self if self.tag or self.digest else replace(self, tag=DEFAULT_TAG)

    def with_tag(self, tag: str) -> "Reference":
        """With another tag and no digest. Raises InvalidParameter."""
        if _TAG.match(tag) is None:
            raise InvalidParameter("invalid tag format")
        return replace(self, tag=tag, digest="")

    def stored(self) -> "Reference":
        """What it is kept and found under: a digest says more than a tag."""
        if self.digest:
            return replace(self, tag="")
        return self.tagged()


def parse(text: str) -> Reference:
    """A reference from what people write. Raises InvalidParameter."""
    if _HEX_ID.match(text):
        raise InvalidParameter(
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
        )
    domain, rest = _split_domain(text)
    remote = rest.partition(":")[0]
    if remote.lower() != remote:
        raise InvalidParameter(f"invalid reference format: repository name ({remote}) must be lowercase")
    found = _REFERENCE.match(f"{domain}/{rest}")
    if found is None:
        raise InvalidParameter("invalid reference format")
    domain, path, tag, digest = found.groups()
    if len(path) > _MAX_PATH:
        raise InvalidParameter(f"repository name must not be more than {_MAX_PATH} characters")
    if digest:
        _check_digest(digest)
    return Reference(domain, path, tag or "", digest or "")


def parse_repository(repository: str, tag: str = "") -> Reference:
    """A reference from the `repo` and `tag` parameters of a call; a tag given there wins.

    Raises InvalidParameter.
    """
    reference = parse(repository)
    if tag:
        reference = _with_tag_or_digest(reference, tag)
    return reference.tagged()


def _with_tag_or_digest(reference: Reference, tag: str) -> Reference:
    if _DIGEST.match(tag):
        _check_digest(tag)
        return replace(reference, tag="", digest=tag)
    return reference.with_tag(tag)


def parse_id(text: str) -> str:
    """The digest where `text` is a whole image ID, with or without its algorithm; otherwise empty."""
    if _HEX_ID.match(text):
        return f"sha256:{text}"
    if text.startswith("sha256:") and _HEX_ID.match(text[7:]):
        return text
    return ""


def _split_domain(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    is_domain = slash and ("." in first or ":" in first or first == "localhost" or first.lower() != first)
    if not is_domain:
        first, rest = DEFAULT_DOMAIN, text
    if first == "index.docker.io":
        first = DEFAULT_DOMAIN
    if first == DEFAULT_DOMAIN and "/" not in rest:
        rest = _OFFICIAL + rest
    return first, rest


def _check_digest(digest: str) -> None:
    algorithm, _, encoded = digest.partition(":")
    length = _DIGEST_LENGTHS.get(algorithm)
    if length is None:
        raise InvalidParameter("unsupported digest algorithm")
    if len(encoded) != length:
        raise InvalidParameter("invalid checksum digest length")
    if encoded.lower() != encoded:
        raise InvalidParameter("invalid checksum digest format")


def familiar_match(pattern: str, reference: Reference) -> bool:
    """Whether a shell pattern fits the short form, with or without its tag; `*` stops at a slash.

    Raises InvalidParameter.
    """
    compiled = _compile_pattern(pattern)
    return any(compiled.match(text) for text in (reference.familiar, reference.familiar_name))


def _compile_pattern(pattern: str) -> re.Pattern[str]:
    """Go's path.Match as a regular expression."""
    result = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            result.append("[^/]*")
        elif character == "?":
            result.append("[^/]")
        elif character == "[":
            end = pattern.find("]", at + 1)
            if end < 0:
                raise InvalidParameter("syntax error in pattern")
            body = pattern[at:end]
            negated = body.startswith("^")
            body = body[1:] if negated else body
            result.append(f"[{'^' if negated else ''}{_escape_class(body)}]")
            at = end + 1
        else:
            if character == "\\":
                if at >= len(pattern):
                    raise InvalidParameter("syntax error in pattern")
                character = pattern[at]
                at += 1
            result.append(re.escape(character))
    try:
        return re.compile("".join(result) + r"\Z", re.DOTALL)
    except re.error:
        raise InvalidParameter("syntax error in pattern") from None


def _escape_class(body: str) -> str:
    return re.sub(r"([\[\]^&~|])", r"\\\1", body)
