"""The starter image: a small tool box made on the spot from the host's static busybox.

It needs no registry, so a first container runs on a machine without network.
The same busybox always gives the same image.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from lading.errors import NotFound, Unsupported
from lading.oci import image as oci
from lading.oci import tar, tar_writer
from lading.units import NANOSECOND, rfc3339

STARTER = "lading/starter:latest"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_PLACES = ("/bin/busybox", "/usr/bin/busybox", "/usr/local/bin/busybox")
_PIECE = 256 << 10
_PT_INTERP = 3
_DIRECTORIES = (
    ("bin", 0o755),
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("mnt", 0o755),
    ("opt", 0o755),
    ("proc", 0o555),
    ("root", 0o700),
    ("run", 0o755),
    ("srv", 0o755),
    ("sys", 0o555),
    ("tmp", 0o1777),
    ("usr", 0o755),
    ("usr/bin", 0o755),
    ("usr/local", 0o755),
    ("usr/local/bin", 0o755),
    ("var", 0o755),
    ("var/log", 0o755),
    ("var/spool", 0o755),
    ("var/tmp", 0o1777),
)
_FILES = {
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/sh\n"
        "daemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
        "bin:x:2:2:bin:/bin:/bin/false\n"
        "sys:x:3:3:sys:/dev:/bin/false\n"
        "www-data:x:33:33:www-data:/var/www:/bin/false\n"
        "operator:x:37:37:Operator:/var:/bin/false\n"
        "nobody:x:65534:65534:nobody:/home:/bin/false\n"
    ),
    "etc/group": (
        "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\ndisk:x:6:\nwheel:x:10:root\n"
        "mail:x:8:\nwww-data:x:33:\noperator:x:37:\nusers:x:100:\nnogroup:x:65534:\n"
    ),
    "etc/hosts": "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "etc/os-release": (
        'NAME="Lading starter"\nID=lading-starter\nPRETTY_NAME="Lading starter image (busybox)"\n'
    ),
    "etc/profile": "export PS1='\\u@\\h:\\w\\$ '\n",
    "etc/shells": "/bin/sh\n/bin/ash\n",
}


@dataclass(frozen=True, slots=True)
class Busybox:
    """The host's busybox: its bytes, when it was built, and what it can be called as."""

    program: bytes
    mtime: int
    applets: tuple[str, ...]


def find_busybox(places: tuple[str, ...] = _PLACES) -> str:
    """Where a static busybox is. Raises NotFound, Unsupported."""
    for path in places:
        if os.path.exists(path):
            with open(path, "rb") as file:
                if not is_static(file.read(4096)):
                    raise Unsupported(f"{path} is not statically linked: install the package busybox-static")
            return path
    raise NotFound(
        "the starter image is made from busybox, which is missing: install the package busybox-static"
    )


def is_static(head: bytes) -> bool:
    """Whether an ELF program, by its first bytes, needs no loader. Source: elf(5)."""
    if head[:4] != b"\x7fELF" or len(head) < 64:
        return False
    order = "<" if head[5] == 1 else ">"
    if head[4] == 2:
        (at,) = struct.unpack_from(f"{order}Q", head, 32)
        size, count = struct.unpack_from(f"{order}HH", head, 54)
    else:
        (at,) = struct.unpack_from(f"{order}I", head, 28)
        size, count = struct.unpack_from(f"{order}HH", head, 42)
    segments = range(at, min(at + size * count, len(head) - 3), size or 1)
    return all(struct.unpack_from(f"{order}I", head, start)[0] != _PT_INTERP for start in segments)


def layer(busybox: Busybox) -> Iterator[bytes]:
    """The layer's archive, piece by piece."""
    when = busybox.mtime * NANOSECOND
    for path, mode in _DIRECTORIES:
        yield tar_writer.header(tar.Entry(path.encode() + b"/", tar.DIRECTORY, mode, mtime_ns=when))
    for path, text in _FILES.items():
        content = text.encode()
        yield tar_writer.header(tar.Entry(path.encode(), mode=0o644, size=len(content), mtime_ns=when))
        yield content + tar_writer.padding(len(content))
    yield tar_writer.header(tar.Entry(b"bin/busybox", mode=0o755, size=len(busybox.program), mtime_ns=when))
    for start in range(0, len(busybox.program), _PIECE):
        yield busybox.program[start : start + _PIECE]
    yield tar_writer.padding(len(busybox.program))
    for name in sorted({*busybox.applets, "env"} - {"busybox"}):
        places = ("bin", "usr/bin") if name == "env" else ("bin",)
        for place in places:
            link = tar.Entry(
                f"{place}/{name}".encode(), tar.HARD_LINK, 0o755, mtime_ns=when, link=b"bin/busybox"
            )
            yield tar_writer.header(link)
    yield tar_writer.END


def document(busybox: Busybox, diff_id: str, architecture: str) -> oci.Image:
    """The image's configuration."""
    created = rfc3339(busybox.mtime * NANOSECOND)
    return oci.Image(
        architecture=architecture,
        os="linux",
        created=created,
        config=oci.ImageConfig(
            env=[PATH],
            cmd=["sh"],
            labels={"org.opencontainers.image.title": "Lading starter"},
        ),
        rootfs=oci.RootFS(diff_ids=[diff_id]),
        history=[oci.History(created=created, created_by="busybox and its applets")],
    )
