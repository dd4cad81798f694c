"""Certificates and encryption."""

import dataclasses
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.distribution.conftest import QUICK
from tests.distribution.parcels import BLOB, give, give_image, whole
from tests.registries import Registry, needs_registry

from lading.distribution import Registries, RegistrySettings, Repository, Unreachable
from lading.errors import InvalidParameter, LadingError

pytestmark = needs_registry


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("encrypted"), tls=certificates) as registry:
        yield registry


@pytest.fixture(scope="module")
def exclusive(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[Registry]:
    """Lets in whom its authority knows."""
    directory = tmp_path_factory.mktemp("exclusive")
    registry = Registry(directory, tls=certificates, client_authority=certificates / "ca.pem")
    with registry:
        yield registry


def _at(registry: Registry, certs: Path | None = None, *, insecure: bool = False) -> Repository:
    return Registries(_settings(certs, insecure=insecure)).repository(registry.host, "x", push=True)


def _settings(certs: Path | None, *, insecure: bool) -> RegistrySettings:
    places = (str(certs),) if certs else ()
    names = RegistrySettings().insecure if insecure else ()
    return dataclasses.replace(QUICK, certificates=places, insecure=names)


def test_an_unknown_authority_is_not_trusted(encrypted: Registry) -> None:
    with pytest.raises(Unreachable) as caught:
        _at(encrypted).manifest("v1")
    assert str(caught.value) == (
        f'Get "https://{encrypted.host}/v2/": tls: failed to verify certificate: '
        "x509: certificate signed by unknown authority"
    )


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_an_insecure_registry_is_asked_with_tls_all_the_same(encrypted: Registry) -> None:
    blob = give(_at(encrypted, insecure=True), BLOB)
    assert whole(_at(encrypted, insecure=True).blob(blob, 10)) == BLOB[10:]


def test_certs_d_names_the_authority(
    encrypted: Registry, certificates: Path, certs_d: Callable[[str], Path]
) -> None:
    directory = certs_d(encrypted.host)
    shutil.copy(certificates / "ca.pem", directory / "ca.crt")
    repository = _at(encrypted, directory.parent)
    digest, _ = give_image(repository, "v1")
    assert repository.manifest("v1").digest == digest


def test_a_client_certificate_opens(
    exclusive: Registry, certificates: Path, certs_d: Callable[[str], Path]
) -> None:
    directory = certs_d(exclusive.host)
    shutil.copy(certificates / "ca.pem", directory / "ca.crt")
    with pytest.raises(LadingError, match=r"remote error: tls: (bad certificate|certificate required)"):
        _at(exclusive, directory.parent).manifest("v1")
    shutil.copy(certificates / "client.pem", directory / "client.cert")
    with pytest.raises(InvalidParameter) as caught:
        _at(exclusive, directory.parent).manifest("v1")
    assert str(caught.value) == (
        "missing key client.key for client certificate client.cert. "
        "CA certificates must use the extension .crt"
    )
    shutil.copy(certificates / "client.key", directory / "client.key")
    give(_at(exclusive, directory.parent), BLOB)


def test_a_key_without_its_certificate(
    encrypted: Registry, certificates: Path, certs_d: Callable[[str], Path]
) -> None:
    directory = certs_d(encrypted.host)
    shutil.copy(certificates / "client.key", directory / "client.key")
    with pytest.raises(
        InvalidParameter, match=r"^missing client certificate client.cert for key client.key$"
    ):
        _at(encrypted, directory.parent).manifest("v1")


def test_a_locked_key(encrypted: Registry, certificates: Path, certs_d: Callable[[str], Path]) -> None:
    directory = certs_d(encrypted.host)
    shutil.copy(certificates / "server.pem", directory / "client.cert")
    shutil.copy(certificates / "locked.key", directory / "client.key")
    with pytest.raises(InvalidParameter, match=r"client\.cert: "):
        _at(encrypted, directory.parent).manifest("v1")


def test_a_certificate_for_another_name(
    tmp_path: Path, certificates: Path, certs_d: Callable[[str], Path]
) -> None:
    for name in ("ca.pem", "ca.key"):
        shutil.copy(certificates / name, tmp_path / name)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", "2",
         "-addext", "subjectAltName=DNS:other.example", "-keyout", "server.key", "-out", "server.pem"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    with Registry(tmp_path / "registry", tls=tmp_path) as registry:
        directory = certs_d(registry.host)
        shutil.copy(tmp_path / "server.pem", directory / "ca.crt")
        with pytest.raises(Unreachable, match=r"x509: .*127\.0\.0\.1"):
            _at(registry, directory.parent).manifest("v1")


def test_a_registry_without_tls_that_ought_to_have_it(registry: Registry) -> None:
    with pytest.raises(Unreachable) as caught:
        _at(registry).manifest("v1")
    assert str(caught.value) == (
        f'Get "https://{registry.host}/v2/": http: server gave HTTP response to HTTPS client'
    )
