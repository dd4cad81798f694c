"""Asks the resolver of a container: run by its path in the container's network namespace.

    queries.py COUNT DEPTH NAME

DEPTH queries are under way at any time. Prints the seconds for all, and the
99th percentile of milliseconds for one.
"""

import socket
import struct
import sys
import time


def main(count: int, depth: int, name: str) -> None:
    question = b"".join(bytes((len(label),)) + label.encode() for label in name.split(".")) + b"\0\0\1\0\1"
    rest = struct.pack("!5H", 0x0100, 1, 0, 0, 0) + question
    connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connection.connect(("127.0.0.11", 53))
    connection.settimeout(5)
    began: dict[bytes, float] = {}
    spent: list[float] = []
    started = time.perf_counter()
    for number in range(count + depth):
        if number >= depth:
            answer = connection.recv(512)
            spent.append(time.perf_counter() - began.pop(answer[:2]))
            if answer[3] & 0xF or answer[6:8] == b"\0\0":
                sys.exit(f"{name} was not found")
        if number < count:
            identifier = struct.pack("!H", number & 0xFFFF)
            began[identifier] = time.perf_counter()
            connection.send(identifier + rest)
    took = time.perf_counter() - started
    spent.sort()
    print(took, spent[len(spent) * 99 // 100] * 1000)


main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
