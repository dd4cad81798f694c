"""A virtual machine with Debian's kernel, whose control groups are of version 2 only.

Emulated, so that it runs where machines are virtual already; it boots in a few seconds.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.cgroup2.initramfs import Initramfs

_QEMU = "qemu-system-x86_64"
_PACKAGE = "linux-image-cloud-amd64"
_CACHE = Path(__file__).parents[2] / ".cache" / "kernel"
_SECONDS = 60

_INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir /run/root
mount --bind /run/root /run/root
echo "+memory +cpu +cpuset +pids +io" > /sys/fs/cgroup/cgroup.subtree_control
# A root of its own: nothing can be pivoted away from the first one.
cp -a /bin /etc /lib /lib64 /usr /box /run/root/ 2>/dev/null
for place in proc sys dev run tmp; do mkdir -p /run/root/$place; done
for place in proc sys dev; do mount --rbind /$place /run/root/$place; done
echo BEGIN
chroot /run/root /bin/sh /box/script
echo END
reboot -f
"""


def kernel() -> Path | None:
    """Debian's kernel image, fetched once; None where there is none to be had."""
    given = os.environ.get("LADING_TEST_KERNEL")
    if given:
        return Path(given)
    image = _CACHE / "vmlinuz"
    if not image.exists() and shutil.which("apt-get"):
        _fetch(image)
    return image if image.exists() else None


def _fetch(image: Path) -> None:
    image.parent.mkdir(parents=True, exist_ok=True)
    shown = subprocess.run(["apt-cache", "depends", _PACKAGE], capture_output=True, text=True).stdout
    found = re.search(r"Depends: (linux-image-\S+)", shown)
    if found is None:
        return
    subprocess.run(["apt-get", "download", found[1]], cwd=image.parent, capture_output=True, timeout=300)
    for package in image.parent.glob(f"{found[1]}_*.deb"):
        files = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
        words = ["tar", "--extract", "--to-stdout", "--wildcards", "./boot/vmlinuz-*"]
        part = image.with_suffix(".part")
        with open(part, "wb") as file:
            unpacked = subprocess.run(words, stdin=files.stdout, stdout=file)
        files.wait()
        package.unlink()
        if unpacked.returncode == 0:
            part.rename(image)


def missing() -> str:
    """What is not there for a machine to run; empty where all is."""
    for program in (_QEMU, "crun", "busybox"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return ""


def run(files: Initramfs, script: str, image: Path, directory: Path) -> str:
    """What `script` prints in a machine that has `files`; it may use busybox and crun."""
    files.file("init", _INIT, 0o755)
    files.file("box/script", script)
    files.program("/bin/busybox")
    files.program(str(shutil.which("crun")))
    for applet in subprocess.check_output(["/bin/busybox", "--list"], text=True).split():
        if applet != "busybox":
            files.link(f"bin/{applet}", "busybox")
    for place in ("proc", "sys", "dev", "run", "tmp", "etc"):
        files.directory(place)
    archive = directory / "initramfs"
    archive.write_bytes(files.archive())
    done = subprocess.run(
        [
            *(
                _QEMU,
                "-M",
                "microvm,accel=tcg,acpi=off",
                "-cpu",
                "max",
                "-m",
                "512",
                "-no-reboot",
                "-nographic",
            ),
            *("-kernel", image, "-initrd", archive),
            *("-append", "console=ttyS0 quiet loglevel=1 panic=-1 reboot=t"),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_SECONDS,
    )
    shown = done.stdout.decode(errors="replace").replace("\r", "")
    _, began, rest = shown.partition("BEGIN\n")
    told, ended, _ = rest.partition("END\n")
    assert began, f"the machine did not come up: {shown} {done.stderr.decode()}"
    assert ended, f"the machine did not come to an end: {shown}"
    return told
