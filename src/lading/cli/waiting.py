"""How a container ended."""

from __future__ import annotations

import time

from lading.cli.errors import CommandFailed
from lading.client import ApiError, ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.client import Client, Streaming

_PATIENCE = 20.0
_PAUSE = 0.1
_ENGINE_FAILED = 125
_NOT_FOUND = 404


class Ending:
    """The end of one container, waited for from before its start."""

    def __init__(self, client: Client, container: str, condition: str) -> None:
        self._client = client
        self._container = container
        self._condition = condition
        self._answer: Streaming = self._ask()

    def _ask(self) -> Streaming:
        query = [("condition", self._condition)] if self._condition else []
        return self._client.stream("POST", f"/containers/{self._container}/wait", query)

    def code(self) -> int:
        """The container's exit code, once it has ended. Raises CommandFailed."""
        try:
            return self._read(self._answer)
        except ClientError:
            return self._code_after_loss()
        finally:
            self._answer.close()

    def _read(self, answer: Streaming) -> int:
        for result in answer.objects():
            error = (result.get("Error") or {}).get("Message")
            if error:
                raise CommandFailed(f"error waiting for container: {error}", _ENGINE_FAILED)
            return int(result["StatusCode"])
        raise CommandFailed("error waiting for container: the engine gave no answer", _ENGINE_FAILED)

    def _code_after_loss(self) -> int:
        """Asks again when the engine is back: containers outlive it."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            self._client.close()
            try:
                state = self._client.get(f"/containers/{self._container}/json")["State"]
                if state["Status"] in ("exited", "dead"):
                    return int(state["ExitCode"])
                self._condition = "not-running"
                return self._read(self._ask())
            except ApiError as refusal:
                if refusal.status == _NOT_FOUND:
                    raise CommandFailed(
                        "lading: the container was removed while the engine was away; "
                        "its exit code is unknown",
                        _ENGINE_FAILED,
                    ) from None
                trouble = refusal.message
            except ClientError as failure:
                trouble = failure.message
            if time.monotonic() > deadline:
                raise CommandFailed(f"error waiting for container: {trouble}", _ENGINE_FAILED)
            time.sleep(_PAUSE)
