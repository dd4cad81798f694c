"""Registries: logging in, and searching."""

from lading.api import decode, encode, registry_auth
from lading.api.rooms import Rooms
from lading.api.router import Call, Endpoint
from lading.filters import Filters
from lading.http import Response
from lading.images import SEARCH_FILTERS


def endpoints(rooms: Rooms) -> list[Endpoint]:
    """The routes of this noun."""
    transfers = rooms.image_transfers

    async def login(call: Call) -> Response:
        body = await decode.body(call, registry_auth.AuthConfig)
        login = await transfers.login(body.credentials())
        return encode.json({"Status": login.status, "IdentityToken": login.identity_token})

    async def search(call: Call) -> Response:
        limit = decode.integer(call, "limit", 0) or 0
        found = await transfers.search(
            call.query("term"),
            limit,
            Filters.parse(call.query("filters"), SEARCH_FILTERS),
            registry_auth.credentials(call),
        )
        return encode.json(
            [
                {
                    "star_count": entry.star_count,
                    "is_official": entry.is_official,
                    "name": entry.name,
                    "is_automated": entry.is_automated,
                    "description": entry.description,
                }
                for entry in found
            ]
        )

    return [Endpoint("POST", "/auth", login), Endpoint("GET", "/images/search", search)]
