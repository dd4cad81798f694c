"""The image all engines are measured with: the machine's static busybox, as a tar for import."""

import io
import shutil
import tarfile

NAME = "bench/busybox"
_APPLETS = ("cat", "echo", "env", "ls", "seq", "sh", "sleep", "true")


def archive() -> bytes:
    """A root file system with busybox in /bin. Raises RuntimeError where there is no busybox."""
    program = shutil.which("busybox")
    if not program:
        raise RuntimeError("busybox is missing: apt-get install busybox-static")
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as tar:
        tar.add(program, "bin/busybox")
        for applet in _APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for directory in ("dev", "etc", "proc", "sys", "tmp"):
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
    return output.getvalue()
