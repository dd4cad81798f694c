"""Registries for tests: Debian's docker-registry, a token server, and a registry that breaks.

Everything listens on loopback. A test that needs `docker-registry` is marked
`needs_registry`.
"""

import base64
import contextlib
import http.client
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.web_server import Handler, serve

PROGRAM = shutil.which("docker-registry")
needs_registry = pytest.mark.skipif(PROGRAM is None, reason="docker-registry is missing")

USER, PASSWORD = "ada", "enchantress"
# As htpasswd -nbB ada enchantress gives it.
_HTPASSWD = "ada:$2b$05$zNA4OklHrVcxEh6etEZSzOtwwqPMXUjiDoonsUmhwrrhtOHN9KWWy\n"


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Registry:
    """One docker-registry with a directory, a port and a process of its own.

    `auth` is None, "htpasswd" (ada, enchantress) or a TokenServer. `tls` names a
    directory with `server.pem` and `server.key`; clients need a certificate of
    `client_authority`, if it is given. `settings` go over the configuration.
    """

    def __init__(
        self,
        directory: Path,
        *,
        auth: Any = None,
        tls: Path | None = None,
        client_authority: Path | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.directory = directory
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.tls = tls
        self._auth = auth
        self._client_authority = client_authority
        self._settings = settings or {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Registry":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        assert PROGRAM is not None, "docker-registry is missing"
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "config.yml"
        # JSON is YAML.
        config.write_text(json.dumps(self._config()))
        with open(self.directory / "log", "ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "serve", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._wait()

    def stop(self) -> None:
        """Ends the process; what was pushed stays."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def log(self) -> str:
        return (self.directory / "log").read_text()

    def _config(self) -> dict[str, Any]:
        http: dict[str, Any] = {"addr": self.host, "secret": "of no use"}
        if self.tls:
            http["tls"] = {"certificate": f"{self.tls}/server.pem", "key": f"{self.tls}/server.key"}
        if self._client_authority:
            http["tls"]["clientcas"] = [str(self._client_authority)]
        config: dict[str, Any] = {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": f"{self.directory}/store"},
                "delete": {"enabled": True},
            },
            "http": http,
            # Foreign layers may lie anywhere.
            "validation": {"manifests": {"urls": {"allow": [".*"]}}},
        }
        if self._auth == "htpasswd":
            passwords = self.directory / "htpasswd"
            passwords.write_text(_HTPASSWD)
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(passwords)}}
        elif self._auth is not None:
            config["auth"] = {"token": self._auth.registry_settings()}
        return {**config, **self._settings}

    def _wait(self) -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            assert self._process is not None
            assert self._process.poll() is None, self.log()
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self._client_authority:
                    # We ourselves have none, and it is enough that it listens.
                    socket.create_connection(("127.0.0.1", self.port), 5).close()
                else:
                    self.request("GET", "/v2/")
                return
            time.sleep(0.02)
        raise TimeoutError(self.log())

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One plain request: status, headers with names in small letters, body."""
        connection: http.client.HTTPConnection
        if self.tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    # --- what is there

    def tags(self, name: str) -> list[str]:
        """Of a repository, in alphabetical order."""
        _, _, body = self.request("GET", f"/v2/{name}/tags/list")
        return sorted(json.loads(body).get("tags") or [])

    def manifest(self, name: str, reference: str) -> tuple[str, bytes]:
        """A manifest's media type and its bytes."""
        accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, " + (
            "application/vnd.docker.distribution.manifest.v2+json, "
            "application/vnd.docker.distribution.manifest.list.v2+json"
        )
        status, headers, body = self.request(
            "GET", f"/v2/{name}/manifests/{reference}", None, {"Accept": accept}
        )
        assert status == 200, body
        return headers["content-type"], body

    def blob_path(self, digest: str) -> Path:
        """The file that holds a blob."""
        value = digest.partition(":")[2]
        return self.directory / f"store/docker/registry/v2/blobs/sha256/{value[:2]}/{value}/data"


class TokenServer:
    """Gives tokens as Docker Hub's server does: to ada for everything, to strangers to pull `public/…`.

    `asked` holds what came: method, account, scopes.
    """

    service = "test-registry"

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._key, self._certificate = directory / "token.key", directory / "token.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=tokens", "-days", "2",
             "-keyout", self._key, "-out", self._certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        self.asked: list[tuple[str, str, tuple[str, ...]]] = []
        self.spoiled = 0
        """How many tokens yet will be good for nothing."""
        self._server = serve(self._handle)
        self.realm = f"http://127.0.0.1:{self._server.server_port}/token"

    def __enter__(self) -> "TokenServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def registry_settings(self) -> dict[str, str]:
        """What a registry is configured with."""
        return {
            "realm": self.realm,
            "service": self.service,
            "issuer": "test",
            "rootcertbundle": str(self._certificate),
        }

    def _handle(self, request: Handler) -> None:
        if request.command == "POST":
            form = parse_qs(request.body.decode())
            account = form.get("refresh_token", [""])[0].removeprefix("identity-of-")
            scopes = tuple(form.get("scope", [""])[0].split())
            refused = account != USER
        else:
            form = parse_qs(urlsplit(request.path).query)
            account, refused = _basic_account(request.headers.get("Authorization", ""))
            scopes = tuple(form.get("scope", []))
        self.asked.append((request.command, account, scopes))
        if refused:
            request.answer(401, b'{"details": "incorrect username or password"}')
            return
        answer = {"token": self._token(account, scopes), "expires_in": 300}
        if form.get("offline_token") == ["true"] and account:
            answer["refresh_token"] = f"identity-of-{account}"
        request.answer(200, json.dumps(answer).encode())

    def _token(self, account: str, scopes: tuple[str, ...]) -> str:
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            wanted = actions.split(",")
            public = ["pull"] if name.startswith("public/") else []
            access.append({"type": kind, "name": name, "actions": wanted if account else public})
        now = int(time.time())
        claims = {
            "iss": "test", "aud": self.service, "sub": account, "jti": str(len(self.asked)),
            "iat": now - 5, "nbf": now - 5, "exp": now + 300, "access": access,
        }  # fmt: skip
        lines = self._certificate.read_text().splitlines()
        head = {"typ": "JWT", "alg": "RS256", "x5c": ["".join(lines[1:-1])]}
        signed = b".".join(_base64(json.dumps(part).encode()) for part in (head, claims))
        signature = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", self._key], input=signed, capture_output=True, check=True
        ).stdout
        if self.spoiled:
            self.spoiled -= 1
            signature = bytes(len(signature))
        return (signed + b"." + _base64(signature)).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _basic_account(field: str) -> tuple[str, bool]:
    """Who asks, and whether the password is wrong."""
    if not field:
        return "", False
    name, _, password = base64.b64decode(field.removeprefix("Basic ")).decode().partition(":")
    return name, (name, password) != (USER, PASSWORD)


@dataclass
class Fault:
    """What goes wrong with requests whose `METHOD path` matches `pattern`.

    `kind`: "status" (with `status`, `headers`, `body`), "cut" the answer's body after `after`
    bytes, "corrupt" its middle byte, "stall" after `after` bytes, "lie" in Content-Length by
    `by` bytes, "no-range", "cut-upload" after `after` bytes of the request's body, "drop" the
    connection before any answer, "hold" it without one.
    """

    pattern: str
    kind: str
    times: int = 1
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    after: int = 0
    by: int = 0


@dataclass
class Seen:
    """A request that came by."""

    method: str
    path: str
    headers: dict[str, str]


class Breaking:
    """A registry in front of a registry (or of none), that breaks as it is told."""

    def __init__(self, registry: Registry | None = None) -> None:
        self._registry = registry
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self.seen: list[Seen] = []
        self._server = serve(self._handle)
        self.port = self._server.server_port
        self.host = f"127.0.0.1:{self.port}"

    def __enter__(self) -> "Breaking":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def stop(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def fail(self, pattern: str, kind: str, **how: Any) -> None:
        """From now on, `times` times (once unless said), and after the faults named before."""
        with self._lock:
            self._faults.append(Fault(pattern, kind, **how))

    def count(self, pattern: str) -> int:
        """How many requests of this kind came."""
        return len(self.matching(pattern))

    def matching(self, pattern: str) -> list[Seen]:
        return [seen for seen in self.seen if re.search(pattern, f"{seen.method} {seen.path}")]

    def _fault(self, line: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.times > 0 and re.search(fault.pattern, line):
                    fault.times -= 1
                    return fault
        return None

    def _handle(self, request: Handler) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(Seen(request.command, request.path, headers))
        fault = self._fault(f"{request.command} {request.path}")
        kind = fault.kind if fault else ""
        if fault and kind == "hold":
            self._stopped.wait(60)
            request.hang_up()
        elif fault and kind == "drop":
            request.hang_up()
        elif fault and kind == "status":
            request.answer(fault.status, fault.body, fault.headers)
        elif fault and kind == "cut-upload":
            request.read_some(fault.after)
            request.hang_up()
        else:
            if kind == "no-range":
                headers.pop("range", None)
            self._relay(request, headers, fault)

    def _relay(self, request: Handler, headers: dict[str, str], fault: Fault | None) -> None:
        assert self._registry is not None, f"nothing behind for {request.command} {request.path}"
        back = http.client.HTTPConnection("127.0.0.1", self._registry.port, timeout=20)
        with contextlib.closing(back):
            # The registry makes its addresses of the Host field, so that they lead here again.
            back.request(request.command, request.path, request.body, headers)
            answer = back.getresponse()
            fields = dict(answer.getheaders())
            try:
                body = answer.read()
            except http.client.IncompleteRead as broken:
                # docker-registry does so when a range is not satisfiable.
                body = broken.partial
        fields = {name: value for name, value in fields.items() if name.lower() not in _HOP_BY_HOP}
        if request.command != "HEAD":
            fields["Content-Length"] = str(len(body))
        if fault and fault.kind == "lie":
            fields["Content-Length"] = str(len(body) + fault.by)
        if fault and fault.kind == "corrupt" and body:
            middle = len(body) // 2
            body = body[:middle] + bytes([body[middle] ^ 0xFF]) + body[middle + 1 :]
        request.head(answer.status, fields)
        if fault and fault.kind in ("cut", "stall"):
            request.wfile.write(body[: fault.after])
            request.wfile.flush()
            if fault.kind == "stall":
                self._stopped.wait(60)
            request.hang_up()
        elif request.command != "HEAD":
            request.wfile.write(body)
            if fault and fault.kind == "lie":
                request.hang_up()


_HOP_BY_HOP = ("connection", "transfer-encoding", "date", "server")
