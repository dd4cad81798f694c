"""Whom to trust and what to show: docker's `certs.d` directories.

Source: docker's manual, "Verify repository client with certificates".
"""

import os
import ssl
from collections.abc import Iterable
from dataclasses import dataclass

from lading.errors import InvalidParameter


@dataclass(frozen=True, slots=True)
class Trust:
    """Certificates of one registry. `pairs` are certificates of ours with their keys."""

    verified: bool = True
    authorities: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()


def trust_in(host: str, directories: Iterable[str], *, verified: bool) -> Trust:
    """What the first directory that knows `host` says. Raises InvalidParameter."""
    for directory in directories:
        place = os.path.join(directory, host)
        try:
            names = sorted(os.listdir(place))
        except OSError:
            continue
        return Trust(verified, _authorities(place, names), _pairs(place, names))
    return Trust(verified)


def _authorities(place: str, names: list[str]) -> tuple[str, ...]:
    return tuple(os.path.join(place, name) for name in names if name.endswith(".crt"))


def _pairs(place: str, names: list[str]) -> tuple[tuple[str, str], ...]:
    """Raises InvalidParameter for one without the other."""
    for name in names:
        stem, dot, kind = name.rpartition(".")
        if dot and kind == "cert" and f"{stem}.key" not in names:
            raise InvalidParameter(
                f"missing key {stem}.key for client certificate {name}. "
                "CA certificates must use the extension .crt"
            )
        if dot and kind == "key" and f"{stem}.cert" not in names:
            raise InvalidParameter(f"missing client certificate {stem}.cert for key {name}")
    stems = [name.removesuffix(".cert") for name in names if name.endswith(".cert")]
    return tuple((os.path.join(place, f"{stem}.cert"), os.path.join(place, f"{stem}.key")) for stem in stems)


def context_for(trust: Trust) -> ssl.SSLContext:
    """Raises InvalidParameter for files that are no certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if trust.verified:
        context.load_default_certs()
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        for path in trust.authorities if trust.verified else ():
            context.load_verify_locations(path)
        for path, key in trust.pairs:
            context.load_cert_chain(path, key, password=_no_password)
    except (OSError, ValueError) as error:
        raise InvalidParameter(f"{path}: {error}") from None
    return context


def _no_password() -> str:
    # OpenSSL would ask at the terminal.
    raise ValueError("its key is encrypted, and a daemon has nobody to ask for the password")
