"""Registries for tests: Debian's docker-registry, a token server, and a registry that breaks.

Everything listens on loopback. A test that needs `docker-registry` is marked
`needs_registry`.
"""

import contextlib
import http.client
import json
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

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
    directory with `server.pem` and `server.key`. `settings` go over the configuration.
    """

    def __init__(
        self,
        directory: Path,
        *,
        auth: Any = None,
        tls: Path | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.directory = directory
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.tls = tls
        self._auth = auth
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
