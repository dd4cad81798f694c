"""The two commands of the README in a machine that has nothing: a minimal Debian, made on the spot.

    python3 -m tests.fresh [--bind PATH]... [--env NAME=VALUE]... [bookworm] [trixie]

For each release: debootstrap (kept in $LADING_FRESH_CACHE, by default .cache/fresh), a clean
clone of HEAD, `./install` twice and `./test` twice, inside namespaces of its own that reach
the network through slirp4netns, so that nothing of the machine's own is touched. Takes long
and needs root, debootstrap and slirp4netns; not part of ./test.

`--bind` shows a path of this machine inside under the same name, `--env` sets a variable there:
together they lead pip to a local package index.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.enclosure import Enclosure, enter

_REPOSITORY = Path(__file__).parents[2]
_MIRROR = "http://deb.debian.org/debian"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_STEPS = ("./install", "./install", "./test", "./test tests/unit")


def main() -> int:
    words = _parser().parse_args()
    for program in ("debootstrap", "slirp4netns", "git"):
        if not shutil.which(program):
            print(f"{program} is missing: apt-get install {program}", file=sys.stderr)
            return 1
    cache = Path(os.environ.get("LADING_FRESH_CACHE") or _REPOSITORY / ".cache" / "fresh").resolve()
    failed = []
    for release in words.release:
        root = _root(cache, release)
        for step in words.step or [" && ".join(_STEPS)]:
            print(f"══ {release}: {step}", flush=True)
            started = time.monotonic()
            code = _run(root, step, words.env, words.bind, cache / f"{release}.log")
            print(f"══ {release}: exit {code} after {time.monotonic() - started:.0f} s", flush=True)
            failed += [release] if code else []
    return 1 if failed else 0


def _root(cache: Path, release: str) -> Path:
    """A fresh root of a release with a clean clone in /root/lading."""
    base, root = cache / release, cache / f"{release}.run"
    if not base.exists():
        partial = cache / f"{release}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        cache.mkdir(parents=True, exist_ok=True)
        with open(cache / f"{release}.debootstrap.log", "wb") as log:
            command = ["debootstrap", "--variant=minbase", release, str(partial), _MIRROR]
            subprocess.run(command, stdout=log, stderr=log, check=True)
        partial.rename(base)
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", base, root], check=True)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    # Which debootstrap leaves to the installer.
    (root / "etc/hosts").write_text("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n")
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", _REPOSITORY, root / "root/lading"], check=True)
    return root


def _run(root: Path, step: str, variables: Sequence[str], binds: Sequence[Path], log: Path) -> int:
    """Runs a shell command as the first deed of a booted machine; its output goes to `log` and here."""
    ready = Path(tempfile.mkdtemp(prefix="fresh-", dir="/tmp"))
    # What a login on a new machine has in its environment, and what was asked for.
    environment = ["env", "-i", f"PATH={_PATH}", "HOME=/root", "TERM=dumb", *variables]
    script = f"while ! [ -e {ready}/net ]; do sleep 0.1; done; cd /root/lading && {{ {step}; }}"
    log.write_bytes(b"")
    uplink = None
    try:
        enclosure = enter([*environment, "/bin/sh", "-c", script], root=root, shared=[ready, *binds], log=log)
        uplink = _uplink(enclosure, log)
        (ready / "net").touch()
        with open(log, encoding="utf-8", errors="replace") as output:
            while enclosure.alive():
                print(output.read(), end="", flush=True)
                time.sleep(0.2)
            print(output.read(), end="", flush=True)
        return enclosure.wait()
    finally:
        if uplink:
            uplink.terminate()
            uplink.wait()
        shutil.rmtree(ready, ignore_errors=True)


def _uplink(enclosure: Enclosure, log: Path) -> subprocess.Popen[bytes]:
    """A way out of the enclosure's network namespace, in user space."""
    reader, writer = os.pipe()
    command = [
        "slirp4netns",
        "--configure",
        "--mtu=1500",
        f"--ready-fd={writer}",
        str(enclosure.init),
        "tap0",
    ]
    with open(log, "ab") as output:
        process = subprocess.Popen(
            command, pass_fds=(writer,), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=output
        )
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    return process


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tests.fresh", description="A clean machine's test.")
    parser.add_argument("release", nargs="*", default=["bookworm", "trixie"])
    parser.add_argument("--bind", action="append", type=Path, default=[], help="a path to show inside")
    parser.add_argument("--env", action="append", default=[], help="a variable to set inside")
    parser.add_argument("--step", action="append", help="a shell command instead of the two commands")
    return parser


if __name__ == "__main__":
    sys.exit(main())
