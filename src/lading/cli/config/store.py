"""Where the credentials for a registry are kept: in a helper where one is set up, else in the file."""

from __future__ import annotations

from lading.cli.config import credential_helper
from lading.cli.config.auths import Auth, find_entry, read_entry
from lading.cli.errors import CommandFailed
from lading.cli.say import err

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.config.file import ConfigFile

_TOKEN_USER = "<token>"
"""Stands for the user where the secret is an identity token (docker-credential-helpers)."""
_IN_THE_CLEAR = """
WARNING! Your credentials are stored unencrypted in '{path}'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/
"""


def _helper(config: ConfigFile, server: str) -> str:
    helpers = config.map("credHelpers")
    if server in helpers:
        return str(helpers[server] or "")
    if not (config.text("credsStore") or helpers or config.map("auths")):
        return credential_helper.default_helper()
    return config.text("credsStore")


def credentials(config: ConfigFile, server: str) -> Auth:
    """What is known of us at a registry; empty where nothing is, or its helper does not work."""
    try:
        return credentials_or_failure(config, server)
    except CommandFailed:
        return Auth()


def credentials_or_failure(config: ConfigFile, server: str) -> Auth:
    """As `credentials`. Raises CommandFailed where a helper does not work."""
    auth = read_entry(*find_entry(config.map("auths"), server))
    helper = _helper(config, server)
    if not helper:
        return auth
    try:
        username, secret = credential_helper.get(helper, server)
    except credential_helper.CredentialsNotFound:
        return Auth()
    except credential_helper.HelperFailed as failure:
        raise CommandFailed(str(failure)) from None
    is_token = username == _TOKEN_USER
    return Auth(
        server,
        "" if is_token else username,
        "" if is_token else secret,
        secret if is_token else "",
        auth.registry_token,
        auth.email,
    )


def keep(config: ConfigFile, auth: Auth) -> None:
    """Stores credentials. Raises CommandFailed."""
    helper = _helper(config, auth.server)
    entry = {"email": auth.email} if helper and auth.email else {} if helper else auth.as_entry()
    if helper:
        user = _TOKEN_USER if auth.identity_token else auth.username
        try:
            credential_helper.store(helper, auth.server, user, auth.identity_token or auth.password)
        except credential_helper.HelperFailed as failure:
            raise CommandFailed(f"Error saving credentials: {failure}") from None
    unchanged = config.map("auths").get(auth.server) == entry

    def edit(members: dict[str, Any]) -> None:
        members["auths"] = {**(members.get("auths") or {}), auth.server: entry}
        if helper and helper not in (members.get("credHelpers") or {}).values():
            members.setdefault("credsStore", helper)

    try:
        config.change(edit)
    except CommandFailed as failure:
        raise CommandFailed(f"Error saving credentials: {failure.message}") from None
    if not helper and auth.password and not unchanged:
        err(_IN_THE_CLEAR.format(path=config.path))


def forget(config: ConfigFile, server: str) -> None:
    """Erases what is kept for a registry. Raises CommandFailed."""
    helper = _helper(config, server)
    if helper:
        try:
            credential_helper.erase(helper, server)
        except credential_helper.HelperFailed as failure:
            raise CommandFailed(str(failure)) from None
    if server not in config.map("auths"):
        return

    def edit(members: dict[str, Any]) -> None:
        (members.get("auths") or {}).pop(server, None)

    config.change(edit)
