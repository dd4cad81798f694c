"""Manifests at registries, beyond Docker's API (docs/api-extensions.md)."""

from lading.api import decode, encode, registry_auth
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.http import Response
from lading.images import PutManifest


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    transfers = rooms.image_transfers

    async def fetch(call: Call) -> Response:
        found = await transfers.manifest(
            call.parameters["name"], registry_auth.credentials(call), insecure=decode.flag(call, "insecure")
        )
        return encode.json(found)

    async def put(call: Call) -> Response:
        digest = await transfers.put_manifest(
            call.parameters["name"],
            await decode.body(call, PutManifest),
            registry_auth.credentials(call),
            insecure=decode.flag(call, "insecure"),
        )
        return encode.json({"Digest": digest}, 201)

    return [
        Endpoint("GET", "/lading/manifests/{name:path}", fetch),
        Endpoint("POST", "/lading/manifests/{name:path}", put),
    ]
