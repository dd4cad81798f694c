"""An engine's network room in a process of its own, to be killed.

Reads one JSON line a time from standard input, answers with one. It is told
the host's namespace, and what to open, on its command line.
"""

import asyncio
import json
import sys
from typing import Any

import msgspec

from lading.linux import namespaces
from lading.network import ConnectRequest, Networks, NetworkSettings
from lading.state import Database


async def _serve(database: str, directory: str, settings: NetworkSettings) -> None:
    networks = Networks(settings, Database(database), directory)
    await networks.open()
    print(json.dumps("open"), flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        verb, argument = json.loads(line)
        answer: Any = None
        if verb == "connect":
            answer = await networks.connect(msgspec.convert(argument, ConnectRequest))
        elif verb == "release":
            await networks.release(argument)
        elif verb == "churn":
            await _churn(networks, argument)
        print(msgspec.json.encode(answer).decode(), flush=True)


async def _churn(networks: Networks, first: int) -> None:
    """Connects and releases until somebody ends us."""

    async def one(number: int) -> None:
        while True:
            bindings = {"80/tcp": [{"HostIp": "", "HostPort": str(8100 + number)}], "53/udp": [{}]}
            asked = {"container_id": f"{number:064x}", "port_bindings": bindings if number % 2 else None}
            await networks.connect(msgspec.convert(asked, ConnectRequest))
            await asyncio.sleep(0.002)
            await networks.release(f"{number:064x}")

    await asyncio.gather(*(one(number) for number in range(first, first + 4)))


if __name__ == "__main__":
    host, database, directory, bridge, bip = sys.argv[1:]
    namespaces.enter_netns(host)
    asyncio.run(_serve(database, directory, NetworkSettings(bridge=bridge, bip=bip)))
