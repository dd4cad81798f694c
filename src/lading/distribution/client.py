"""All registries over HTTP. Loaded when the first one is asked."""

import os
import socket
import threading
import weakref
from dataclasses import replace

from lading.distribution import endpoints
from lading.distribution.certificates import Trust, trust_in
from lading.distribution.contract import Client
from lading.distribution.download import download
from lading.distribution.endpoints import HUB, Endpoint
from lading.distribution.line import Line
from lading.distribution.login import login
from lading.distribution.proxies import proxies_of
from lading.distribution.remote import WebRepository
from lading.distribution.repository import BlobReader, Repository
from lading.distribution.search import search
from lading.distribution.session import Session
from lading.distribution.tokens import Authorizer
from lading.distribution.transport import Transport
from lading.distribution.values import Credentials, Login, RegistrySettings, SearchResult


class WebClient(Client):
    """Makes repositories; those that are alive together share their connections."""

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings
        self._proxies = proxies_of(settings.http_proxy, settings.https_proxy, settings.no_proxy, os.environ)
        self._transports: weakref.WeakValueDictionary[Trust, Transport] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def repository(
        self, domain: str, path: str, credentials: Credentials | None, *, push: bool
    ) -> Repository:
        scope = f"repository:{path}:{'pull,push' if push else 'pull'}"
        lines = []
        for endpoint in self._endpoints(domain, push=push):
            transport = self.transport(endpoint)
            # Not for mirrors: they are somebody else's.
            known = None if endpoint.mirror else credentials
            authorizer = Authorizer(transport, known, scope, private=endpoint.private)
            lines.append(Line(endpoint, transport, authorizer))
        session = Session(lines, domain, path, self._settings.attempts, self._settings.pause)
        return WebRepository(session, lambda: self._transport(Trust()))

    def download(self, url: str) -> BlobReader:
        return download(self._transport(Trust()), url)

    def login(self, credentials: Credentials) -> Login:
        domain = endpoints.index_of(credentials.server_address)
        return login(self._endpoints(domain, push=True), self.transport, credentials)

    def search(self, term: str, limit: int, credentials: Credentials | None) -> list[SearchResult]:
        domain, rest = endpoints.split_term(term)
        where = [Endpoint("https://index.docker.io")] if domain == HUB else self._endpoints(domain, push=True)
        return search(where, self.transport, rest, limit, credentials)

    def _endpoints(self, domain: str, *, push: bool) -> list[Endpoint]:
        endpoints.check_host(domain)
        insecure = domain != HUB and self._is_insecure(domain)
        found = endpoints.endpoints_of(domain, self._settings.mirrors, insecure=insecure, push=push)
        return [
            replace(endpoint, verified=not self._is_insecure(endpoint.host)) if endpoint.mirror else endpoint
            for endpoint in found
        ]

    def _is_insecure(self, host: str) -> bool:
        return endpoints.is_insecure(host, self._settings.insecure, _addresses(host))

    def transport(self, endpoint: Endpoint) -> Transport:
        """Connections with the trust that was set up for its host. Raises InvalidParameter."""
        return self._transport(
            trust_in(endpoint.host, self._settings.certificates, verified=endpoint.verified)
        )

    def _transport(self, trust: Trust) -> Transport:
        with self._lock:
            transport = self._transports.get(trust)
            if transport is None:
                settings = self._settings
                transport = Transport(trust, self._proxies, settings.timeout, settings.user_agent)
                self._transports[trust] = transport
            return transport


def _addresses(domain: str) -> list[str]:
    try:
        found = socket.getaddrinfo(endpoints.host_of(domain), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(entry[4][0]) for entry in found]
