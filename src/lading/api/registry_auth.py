"""Who a client is at registries, as docker's clients say it in header fields and bodies.

Source: Engine API 1.51, "Authentication" and "AuthConfig"; moby's `registry.DecodeAuthConfig`.
"""

import base64
import binascii

import msgspec

from lading.api import decode
from lading.api.router import Call
from lading.distribution import Credentials
from lading.errors import InvalidParameter


class AuthConfig(msgspec.Struct, rename="lower", kw_only=True):
    """Docker's AuthConfig."""

    username: str = ""
    password: str = ""
    auth: str = ""
    email: str = ""
    serveraddress: str = ""
    identitytoken: str = ""
    registrytoken: str = ""

    def credentials(self) -> Credentials:
        """As the rooms take it."""
        return Credentials(
            username=self.username,
            password=self.password,
            identity_token=self.identitytoken,
            registry_token=self.registrytoken,
            server_address=self.serveraddress,
        )


def credentials(call: Call) -> Credentials | None:
    """What `X-Registry-Auth` says; None where it says nothing, or nothing that can be read.

    Docker takes no offence at such a field either, but asks the registry as nobody.
    """
    text = call.request.headers.get("x-registry-auth")
    try:
        found = decode.decode(_unpacked(text), AuthConfig).credentials() if text else None
    except InvalidParameter:
        return None
    return None if found == Credentials() else found


def all_credentials(call: Call) -> dict[str, Credentials]:
    """What `X-Registry-Config` says, by server address. What cannot be read says nothing."""
    text = call.request.headers.get("x-registry-config")
    if not text:
        return {}
    try:
        document = msgspec.json.decode(_unpacked(text), type=dict[str, msgspec.Raw])
        return {
            address: decode.decode(bytes(raw), AuthConfig).credentials() for address, raw in document.items()
        }
    except (InvalidParameter, msgspec.MsgspecError):
        return {}


def _unpacked(text: str) -> bytes:
    """Raises InvalidParameter. Clients use both alphabets, with padding or without."""
    plain = text.strip().replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidParameter(f"invalid X-Registry-Auth header: {error}") from None
