"""The user's settings, config.json: who one is at which registry, and how one likes things shown.

Here: reading and changing the file (`file`, `decoding`, `writing`), what it says of
registries (`auths`), where credentials are kept (`store`, `credential_helper`), proxies for
containers (`proxies`). Not here: asking a registry, which the engine does.

Only `file` is imported before every command, so this imports nothing.
"""
