"""nftables through its library, in our own process.

A process of `nft` costs 2.5 ms for what takes 0.1 ms here. Source:
libnftables(3), libnftables-json(5), nft(8).
"""

import ctypes
import json
from typing import Any

_LIBRARY = "libnftables.so.1"
_OUTPUT_JSON = 1 << 4


class NftablesError(OSError):
    """What nft refused, in its own words."""


class Nftables:
    """A handle on the ruleset of the network namespace of the thread that makes it.

    To be used by one thread at a time. Raises NftablesError where the library
    is missing.
    """

    def __init__(self) -> None:
        try:
            library = ctypes.CDLL(_LIBRARY)
        except OSError as error:
            raise NftablesError(f"{_LIBRARY} is needed: install the package nftables ({error})") from None
        library.nft_ctx_new.restype = ctypes.c_void_p
        library.nft_ctx_new.argtypes = (ctypes.c_uint32,)
        for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
            function = getattr(library, name)
            function.restype, function.argtypes = ctypes.c_char_p, (ctypes.c_void_p,)
        library.nft_run_cmd_from_buffer.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
        library.nft_ctx_output_set_flags.argtypes = (ctypes.c_void_p, ctypes.c_uint)
        for name in ("nft_ctx_buffer_output", "nft_ctx_buffer_error", "nft_ctx_free"):
            getattr(library, name).argtypes = (ctypes.c_void_p,)
        self._library = library
        self._context: int | None = library.nft_ctx_new(0)
        if not self._context:
            raise NftablesError("nftables: no memory for a context")
        library.nft_ctx_buffer_output(self._context)
        library.nft_ctx_buffer_error(self._context)

    def run(self, commands: str) -> None:
        """Carries out all commands in one transaction, or none. Raises NftablesError."""
        self._run(commands, 0)

    def list(self, command: str) -> list[dict[str, Any]]:
        """The objects a list command names, as libnftables-json(5) shows them. Raises NftablesError."""
        found = json.loads(self._run(command, _OUTPUT_JSON) or "{}")
        return [entry for entry in found.get("nftables", ()) if "metainfo" not in entry]

    def close(self) -> None:
        """Frees what the library holds."""
        if self._context:
            self._library.nft_ctx_free(self._context)
            self._context = None

    def _run(self, commands: str, flags: int) -> str:
        if not self._context:
            raise NftablesError("nftables: closed")
        self._library.nft_ctx_output_set_flags(self._context, flags)
        refused = self._library.nft_run_cmd_from_buffer(self._context, commands.encode())
        # Both buffers must be read, or their content is still there the next time.
        output = self._library.nft_ctx_get_output_buffer(self._context) or b""
        complaint = self._library.nft_ctx_get_error_buffer(self._context) or b""
        if refused:
            raise NftablesError(f"nftables: {complaint.decode(errors='replace').strip()}")
        return str(output.decode(errors="replace"))
