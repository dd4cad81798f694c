"""What this machine runs, as image indexes say it."""

import functools
import platform

from lading.oci import platforms
from lading.oci.image import Platform

# The instructions each level of x86-64 adds (x86-64 psABI, "Micro-Architecture Levels"), as
# /proc/cpuinfo calls them.
_LEVELS = (
    ("v2", "cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3"),
    ("v3", "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"),
    ("v4", "avx512f avx512bw avx512cd avx512dq avx512vl"),
)


def plain() -> Platform:
    """This machine's platform; of x86-64 the first level."""
    return platforms.normalized(Platform(platform.machine(), "linux"))


@functools.cache
def host() -> Platform:
    """This machine's platform, with the newest variant it runs."""
    found = plain()
    if found.architecture == "amd64":
        found.variant = level(_flags())
    return found


def level(flags: frozenset[str]) -> str:
    """The level of x86-64 that a processor with these flags has; empty for the first."""
    reached = ""
    for name, needed in _LEVELS:
        if not flags.issuperset(needed.split()):
            break
        reached = name
    return reached


def _flags() -> frozenset[str]:
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            for text in file:
                if text.startswith("flags"):
                    return frozenset(text.partition(":")[2].split())
    except OSError:
        pass
    return frozenset()
