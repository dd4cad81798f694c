"""Programs that keep credentials for us, by the protocol of docker-credential-helpers.

`docker-credential-NAME get|store|erase`: what it needs comes on its standard input,
the answer is on its standard output, and a failure is said there too. Secrets are on no
command line and in no message of ours.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NOT_FOUND = "credentials not found in native keychain"
_PLAIN = ("no credentials server URL", "no credentials username")
_DEEDS = {"get": "getting", "store": "storing", "erase": "erasing"}


class HelperFailed(Exception):
    """The program failed; the message is worded as docker words it."""


class CredentialsNotFound(HelperFailed):
    """The program works, and has nothing for this registry."""


def default_helper() -> str:
    """The helper docker takes where the file names no credentials at all; "" where it is not there."""
    name = "pass" if shutil.which("pass") else "secretservice"
    return name if shutil.which(f"docker-credential-{name}") else ""


def get(name: str, server: str) -> tuple[str, str]:
    """User and secret. Raises HelperFailed, CredentialsNotFound."""
    answer = _decode(_ask(name, "get", server))
    return str(answer.get("Username") or ""), str(answer.get("Secret") or "")


def store(name: str, server: str, username: str, secret: str) -> None:
    """Raises HelperFailed."""
    _ask(name, "store", json.dumps({"ServerURL": server, "Username": username, "Secret": secret}) + "\n")


def erase(name: str, server: str) -> None:
    """Raises HelperFailed."""
    _ask(name, "erase", server)


def _ask(name: str, deed: str, request: str) -> str:
    program = f"docker-credential-{name}"
    if "/" in name or not shutil.which(program):
        raise _failure(deed, f'exec: "{program}": executable file not found in $PATH', "")
    try:
        done = subprocess.run(
            [program, deed],
            input=request.encode("utf-8", "surrogateescape"),
            stdout=subprocess.PIPE,
            check=False,
            env=dict(os.environ),
        )
    except OSError as error:
        raise _failure(deed, f"fork/exec {program}: {(error.strerror or '').lower()}", "") from None
    answer = done.stdout.decode("utf-8", "replace")
    if done.returncode == 0:
        return answer
    said = answer.strip()
    if said in _PLAIN:
        raise _failure(deed, said, said) if deed == "store" else HelperFailed(said)
    if deed == "get" and said == _NOT_FOUND:
        raise CredentialsNotFound(said)
    status = f"exit status {done.returncode}" if done.returncode > 0 else f"signal {-done.returncode}"
    raise _failure(deed, status, said)


def _failure(deed: str, reason: str, said: str) -> HelperFailed:
    return HelperFailed(f"error {_DEEDS[deed]} credentials - err: {reason}, out: `{said}`")


def _decode(answer: str) -> dict[str, Any]:
    try:
        value = json.loads(answer)
    except ValueError:
        raise HelperFailed("the credential helper's answer is not JSON") from None
    if not isinstance(value, dict):
        raise HelperFailed("the credential helper's answer is not an object")
    return value
