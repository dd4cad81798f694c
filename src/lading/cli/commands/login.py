"""`lading login`."""

from __future__ import annotations

import posix

from lading.cli.command import Command
from lading.cli.config.auths import HUB, Auth, host_of
from lading.cli.config.store import credentials, keep
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.notes import note
from lading.cli.prompting import NO_TERMINAL, ask_credentials
from lading.cli.say import err, out, write
from lading.client import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session

_PIECE = 65536
_UNAUTHORIZED = 401
_IN_THE_BROWSER = (
    "Logging in to Docker Hub with a browser is not supported: give your username, and a password or, "
    "better, a personal access token.\n"
)


def run(session: Session, given: Given) -> None:
    username, password = _given_credentials(given)
    if session.config.broken:
        raise CommandFailed(f"{session.config.broken}; credentials could not be kept")
    named = given.operands[0] if given.operands else ""
    server = HUB if named in ("", "docker.io", HUB) else host_of(named)
    known = Auth(server)
    if not username and not password:
        known = credentials(session.config, server)
        known.server = server
        known.identity_token = ""
    status = ""
    if known.username and known.password:
        status = _login_again(session, known)
    out(status or _login_anew(session, server, username, password, known.username))


def _given_credentials(given: Given) -> tuple[str, str]:
    """User and password as far as the command line says them. Raises CommandFailed."""
    username, password = given["username"], given["password"]
    if "password" in given and given["password-stdin"]:
        raise CommandFailed("conflicting options: cannot specify both --password and --password-stdin")
    if given["password-stdin"] and not username:
        raise CommandFailed("the --password-stdin option requires --username to be set")
    for name in ("username", "password"):
        if name in given and not given[name].strip():
            raise CommandFailed(f"{name} is empty")
    if password:
        err("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
    if given["password-stdin"]:
        read = b"".join(iter(lambda: posix.read(0, _PIECE), b""))
        password = read.decode("utf-8", "surrogateescape").rstrip("\r\n")
    return username, password


def _login_again(session: Session, auth: Auth) -> str:
    """With what is known already. What the engine says, or "" where the registry does not take it.

    Raises what the connection raises.
    """
    write(2, f"Authenticating with existing credentials... [Username: {auth.username}]\n".encode())
    note(2, "To login with a different account, run 'lading logout' followed by 'lading login'")
    err("\n")
    try:
        return _login(session, auth)
    except ApiError as refusal:
        if refusal.status == _UNAUTHORIZED:
            err("Stored credentials invalid or expired")
        else:
            err(f"Login did not succeed, error: Error response from daemon: {refusal.message}")
    return ""


def _login_anew(session: Session, server: str, username: str, password: str, usual_user: str) -> str:
    """Raises CommandFailed, ApiError, and what the connection raises."""
    if not (username and password) and not posix.isatty(0):
        raise CommandFailed(NO_TERMINAL)
    if server == HUB and not username and not password:
        err(_IN_THE_BROWSER)
    return _login(session, ask_credentials(server, username, password, usual_user))


def _login(session: Session, auth: Auth) -> str:
    answer = session.client.call("POST", "/auth", body=auth.as_body()).json()
    token = answer.get("IdentityToken")
    if token:
        auth.password, auth.identity_token = "", token
    keep(session.config, auth)
    return answer.get("Status") or "Login Succeeded"


COMMAND = Command(
    "login",
    "[SERVER]",
    "Authenticate to a registry",
    (
        Flag("password", "p", "string", "Password or Personal Access Token (PAT)"),
        Flag("password-stdin", "", "", "Take the Password or Personal Access Token (PAT) from stdin"),
        Flag("username", "u", "string", "Username"),
    ),
    run,
    most=1,
    details="Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
)
