"""`lading manifest annotate`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.manifest_registry import normal_reference
from lading.cli.manifest_store import ManifestStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lading.cli.flags import Given
    from lading.cli.session import Session

_MACHINES = {
    "darwin": "386 amd64 arm arm64",
    "dragonfly": "amd64",
    "freebsd": "386 amd64 arm",
    "linux": "386 amd64 arm arm64 mips64 mips64le ppc64le riscv64 s390x",
    "netbsd": "386 amd64 arm",
    "openbsd": "386 amd64 arm",
    "plan9": "386 amd64",
    "solaris": "amd64",
    "windows": "386 amd64",
}
"""What docker's client takes for a platform."""


def run(session: Session, given: Given) -> None:
    target_name, member = given.operands
    target = _reference(target_name, "manifest list")
    reference = _reference(member, "manifest")
    store = ManifestStore(session)
    manifest = store.get(target, reference)
    if manifest is None:
        raise CommandFailed(f"manifest for image {member} does not exist in {target_name}")
    platform = dict(manifest.platform)
    named = {"os": "os", "arch": "architecture", "variant": "variant", "os-version": "os.version"}
    platform |= {name: given[flag] for flag, name in named.items() if given[flag]}
    features = ",".join(given["os-features"]).split(",") if given["os-features"] else []
    if features:
        platform["os.features"] = list(dict.fromkeys([*(platform.get("os.features") or ()), *features]))
    if platform.get("architecture") not in _MACHINES.get(platform.get("os", ""), "").split():
        raise CommandFailed(
            f"manifest entry for image has unsupported os/arch combination: {given['os']}/{given['arch']}"
        )
    manifest.descriptor = {**manifest.descriptor, "platform": platform}
    store.save(target, reference, manifest)


def _reference(text: str, what: str) -> str:
    try:
        return normal_reference(text).full()
    except CommandFailed as failure:
        raise CommandFailed(f"annotate: error parsing name for {what} {text}: {failure.message}") from None


COMMAND = Command(
    "manifest annotate",
    "MANIFEST_LIST MANIFEST",
    "Add additional information to a local image manifest",
    (
        Flag("arch", "", "string", "Set architecture"),
        Flag("os", "", "string", "Set operating system"),
        Flag("os-features", "", "strings", "Set operating system feature", gathers=True),
        Flag("os-version", "", "string", "Set operating system version"),
        Flag("variant", "", "string", "Set architecture variant"),
    ),
    run,
    least=2,
    most=2,
)
