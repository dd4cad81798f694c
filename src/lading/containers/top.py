"""What runs in a container, as the machine's `ps` tells it."""

import os
import shutil
from typing import Any

from lading.aio import process
from lading.containers.cgroup import cgroup_of
from lading.containers.context import Context
from lading.containers.processes import DEFAULT, check_arguments, narrowed
from lading.containers.record import Container, Status
from lading.errors import Conflict, InternalError
from lading.linux import cgroups

_PATIENCE = 20.0


async def top(ctx: Context, container: Container, arguments: str) -> dict[str, Any]:
    """Runs `ps` with `arguments`, words with single blanks between them.

    Raises Conflict where the container does not run, InvalidParameter, and
    InternalError with what `ps` complains of.
    """
    arguments = arguments or DEFAULT
    check_arguments(arguments)
    if container.state.status is Status.RESTARTING:
        raise Conflict(f"container {container.id} is restarting, wait until the container is running")
    if not container.state.running:
        raise Conflict(f"container {container.id} is not running")
    pids = cgroups.processes(cgroup_of(ctx, container))
    shown = narrowed(await _ps(arguments.split(" "), pids), frozenset(pids))
    ctx.publish(container, "top")
    return shown


async def _ps(words: list[str], pids: list[int]) -> str:
    program = shutil.which("ps")
    if program is None:
        raise InternalError('ps: exec: "ps": executable file not found in $PATH')
    # Of whatever width the daemon was started in.
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    # Not every option goes together with -q; without it ps looks at all processes.
    for more in ([f"-q{','.join(map(str, pids))}"], []):
        try:
            answer = await process.run([program, *words, *more], env=environment, timeout=_PATIENCE)
        except (OSError, TimeoutError) as error:
            raise InternalError(f"ps: {error}") from None
        if answer.code == 0:
            return answer.stdout.decode(errors="replace")
    complaint = answer.stderr.decode(errors="replace").partition("\n")[0]
    raise InternalError(complaint or f"ps: exit status {answer.code}")
