"""What config.json says of registries, and how the engine is told of it. Pure."""

from __future__ import annotations

import binascii

from lading.client import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

HUB = "https://index.docker.io/v1/"
"""The key of Docker Hub in the file and to credential helpers."""
_HUB_NAMES = ("docker.io", "index.docker.io")


class Auth:
    """Credentials at one registry (Engine API 1.51, "AuthConfig"). Its text form names no secret."""

    __slots__ = ("email", "identity_token", "password", "registry_token", "server", "username")

    def __init__(
        self,
        server: str = "",
        username: str = "",
        password: str = "",
        identity_token: str = "",
        registry_token: str = "",
        email: str = "",
    ) -> None:
        self.server = server
        self.username = username
        self.password = password
        self.identity_token = identity_token
        self.registry_token = registry_token
        self.email = email

    def as_body(self) -> dict[str, str]:
        """What the engine takes; empty fields are left out."""
        fields = {
            "username": self.username,
            "password": self.password,
            "email": self.email,
            "serveraddress": self.server,
            "identitytoken": self.identity_token,
            "registrytoken": self.registry_token,
        }
        return {name: value for name, value in fields.items() if value}

    def as_header(self) -> str:
        """The value of X-Registry-Auth: base64url of the JSON (RFC 4648, section 5)."""
        encoded = binascii.b2a_base64(dumps(self.as_body()), newline=False).decode()
        return encoded.replace("+", "-").replace("/", "_")

    def as_entry(self) -> dict[str, str]:
        """How the file keeps it."""
        pair = encode_auth(self.username, self.password)
        fields = {
            "auth": pair,
            "email": self.email,
            "identitytoken": self.identity_token,
            "registrytoken": self.registry_token,
        }
        return {name: value for name, value in fields.items() if value}


def registry_key(domain: str) -> str:
    """Under which key the credentials of a reference's domain are kept."""
    return HUB if domain in _HUB_NAMES else domain


def search_domain(term: str) -> str:
    """The registry a search term is meant for."""
    first, slash, _ = term.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first
    return _HUB_NAMES[0]


def host_of(address: str) -> str:
    """The host name, with its port, of a registry's address: "https://x:1/v2/" is at "x:1"."""
    _, scheme, rest = address.partition("://")
    return (rest if scheme else address).partition("/")[0]


def find_entry(auths: Mapping[str, Any], server: str) -> tuple[str, dict[str, Any]]:
    """The file's key and entry for a registry; older clients wrote whole addresses as keys."""
    if server in auths:
        return server, auths[server] or {}
    for key, entry in auths.items():
        if host_of(key) == server:
            return key, entry or {}
    return "", {}


def read_entry(key: str, entry: Mapping[str, Any]) -> Auth:
    """Raises ValueError for an `auth` that is no credentials."""
    if not key:
        return Auth()
    username, password = decode_auth(entry.get("auth") or "")
    return Auth(
        key,
        username or entry.get("username") or "",
        password or entry.get("password") or "",
        entry.get("identitytoken") or "",
        entry.get("registrytoken") or "",
        entry.get("email") or "",
    )


def encode_auth(username: str, password: str) -> str:
    """The file's form of a user and a password; "" where there is neither."""
    if not username and not password:
        return ""
    pair = f"{username}:{password}".encode("utf-8", "surrogateescape")
    return binascii.b2a_base64(pair, newline=False).decode()


def decode_auth(text: str) -> tuple[str, str]:
    """User and password out of the file's form. Raises ValueError in docker's words."""
    text = text.replace("\r", "").replace("\n", "")
    if not text:
        return "", ""
    position = next((place for place, letter in enumerate(text) if not _is_base64(letter)), None)
    if position is not None:
        raise ValueError(f"illegal base64 data at input byte {position}")
    try:
        pair = binascii.a2b_base64(text.encode(), strict_mode=True).decode("utf-8", "surrogateescape")
    except binascii.Error:
        raise ValueError(f"illegal base64 data at input byte {len(text) - len(text) % 4}") from None
    username, colon, password = pair.partition(":")
    if not colon or not username:
        raise ValueError("Invalid auth configuration file")
    return username, password.strip("\0")


def _is_base64(letter: str) -> bool:
    return letter.isascii() and (letter.isalnum() or letter in "+/=")
