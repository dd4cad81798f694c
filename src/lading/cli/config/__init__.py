"""The user's settings, config.json: who one is at which registry, and how one likes things shown.

Here: reading and changing the file (`file`), what it says of registries (`auths`, pure),
where credentials are kept (`store`, `credential_helper`), proxies for containers
(`proxies`, pure). Not here: asking a registry, which the engine does.

Only `file` is imported before every command; credentials cost nothing until they are needed.
"""

from lading.cli.config.file import ConfigFile

__all__ = ["ConfigFile"]
