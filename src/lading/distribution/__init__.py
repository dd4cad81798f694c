"""Registries: the client of the OCI distribution protocol.

Here: which endpoints stand for a registry (mirrors, insecure ones, certificates,
proxies), authentication and tokens, manifests, blobs by range, uploads, tags,
search and login. Not here: what is pulled or pushed and in which order, names
as people write them, image documents (all images). Calls `oci`, `errors`;
blocks, so everything is called from threads.
"""

from lading.distribution.endpoints import checked_insecure, checked_mirror
from lading.distribution.proxies import masked, proxies_of
from lading.distribution.registries import Registries
from lading.distribution.repository import BlobReader, Repository
from lading.distribution.values import (
    Credentials,
    Fetched,
    Interrupted,
    Login,
    RegistrySettings,
    SearchResult,
    TooManyRequests,
    Unreachable,
)

__all__ = [
    "BlobReader",
    "Credentials",
    "Fetched",
    "Interrupted",
    "Login",
    "Registries",
    "RegistrySettings",
    "Repository",
    "SearchResult",
    "TooManyRequests",
    "Unreachable",
    "checked_insecure",
    "checked_mirror",
    "masked",
    "proxies_of",
]
