"""Messages between daemon and keeper: JSON with file descriptors over SOCK_SEQPACKET.

A request carries `op` and a number `n`; its reply carries the same `n` and
either `ok` or `error`. News carries `news` instead. One packet is one message;
what does not fit into a packet travels in a memory file.
"""

from __future__ import annotations

import array
import json
import os
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TypeAlias

    Message: TypeAlias = dict[str, Any]
else:
    Message = dict

# Half of the kernel's default send buffer, so that a packet always fits an empty one.
_PACKET = 96 * 1024
# SCM_MAX_FD of the kernel is 253.
_DESCRIPTORS = 250


def encode(message: Message, descriptors: Iterable[int] = ()) -> tuple[bytes, list[int]]:
    """The packet for `message` and duplicates of the descriptors to go with it.

    The caller closes them once the packet is sent.
    """
    packet = json.dumps(message, separators=(",", ":")).encode()
    copies = [os.dup(descriptor) for descriptor in descriptors]
    if len(packet) > _PACKET:
        file = os.memfd_create("message", os.MFD_CLOEXEC)
        with open(os.dup(file), "wb") as stream:
            stream.write(packet)
        copies.append(file)
        packet = b"memfd"
    return packet, copies


def transmit(connection: socket.socket, packet: bytes, descriptors: list[int]) -> None:
    """Sends one packet. Raises BlockingIOError where it would block, OSError where the peer is gone."""
    attached = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    connection.sendmsg([packet], attached, socket.MSG_NOSIGNAL)


def send(connection: socket.socket, message: Message, descriptors: Iterable[int] = ()) -> None:
    """Encodes and sends at once; raises as `transmit`."""
    packet, copies = encode(message, descriptors)
    try:
        transmit(connection, packet, copies)
    finally:
        for copy in copies:
            os.close(copy)


def receive_descriptors(connection: socket.socket, size: int, count: int) -> tuple[bytes, list[int]]:
    """One packet and up to `count` descriptors, closed on exec.

    Not socket.recv_fds: Python 3.11's drops its flags, and every descriptor
    would be inherited by the next container.
    """
    found = array.array("i")
    space = socket.CMSG_SPACE(count * found.itemsize)
    packet, attached, _, _ = connection.recvmsg(size, space, socket.MSG_CMSG_CLOEXEC)
    for level, kind, content in attached:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(content[: len(content) - len(content) % found.itemsize])
    return packet, list(found)


def receive(connection: socket.socket) -> tuple[Message, list[int]] | None:
    """The next message and its descriptors, which the caller owns; None once the peer is gone.

    Raises BlockingIOError where nothing is there, ValueError for what is no message.
    """
    packet, descriptors = receive_descriptors(connection, 2 * _PACKET, _DESCRIPTORS)
    if not packet:
        for descriptor in descriptors:
            os.close(descriptor)
        return None
    if packet == b"memfd":
        with open(descriptors.pop(), "rb") as stream:
            stream.seek(0)
            packet = stream.read()
    message = json.loads(packet)
    if not isinstance(message, dict):
        raise ValueError("not a message")
    return message, descriptors
