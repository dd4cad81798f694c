"""Making an image from a root file system: `docker import`."""

from collections.abc import AsyncIterator, Callable, Sequence

from lading.aio import tasks
from lading.aio.feed import read_in_thread
from lading.content import Content
from lading.errors import InvalidParameter
from lading.images import changes as instructions
from lading.images import machine
from lading.images.admit import Admission, Arrival
from lading.images.intake import ArrivedLayer, LayerIntake
from lading.images.record import Image
from lading.images.reference import Reference
from lading.oci import image as oci
from lading.snapshots import Snapshots
from lading.units import now_ns, rfc3339


class Importer:
    """Takes root file systems in."""

    def __init__(self, admission: Admission, content: Content, snapshots: Snapshots) -> None:
        self._admission = admission
        self._content = content
        self._snapshots = snapshots

    async def import_(
        self,
        stream: AsyncIterator[bytes],
        reference: Reference | None,
        changes: Sequence[str],
        message: str,
        platform: str,
    ) -> str:
        """Makes an image of one layer and gives its ID. Raises LadingError, leaving nothing behind."""
        system, architecture, variant = _platform(platform)
        config = instructions.apply(oci.ImageConfig(), changes)
        with self._admission.under_way():
            layer = await read_in_thread(stream, self._take_layer, lambda late: late.discard(self._snapshots))
            created = rfc3339(now_ns())
            document = oci.Image(
                architecture=architecture,
                os=system,
                variant=variant,
                created=created,
                comment=message,
                config=config,
                rootfs=oci.RootFS(diff_ids=[layer.diff_id]),
                history=[oci.History(created=created, comment=message)],
            )
            names = [reference] if reference else []
            return (await self.make(document, [layer], names)).id

    async def make(
        self, document: oci.Image, layers: list[ArrivedLayer], names: list[Reference], parent: str = ""
    ) -> Image:
        """Makes an image of what has arrived; drops it where that fails."""
        arrival = Arrival(oci.encode(document), layers, parent=parent, references=names)
        try:
            return (await self._admission.admit(arrival)).image
        except BaseException:
            for layer in layers:
                await tasks.in_thread(layer.discard, self._snapshots)
            raise

    def _take_layer(self, pull: Callable[[], bytes]) -> ArrivedLayer:
        intake = LayerIntake(self._content, self._snapshots)
        try:
            while piece := pull():
                intake.feed(piece)
        except BaseException:
            intake.abort()
            raise
        return intake.finish()


def _platform(text: str) -> tuple[str, str, str]:
    """Operating system, architecture and variant from "linux/arm64/v8"; this machine's where not said."""
    if not text:
        return "linux", machine.plain().architecture, ""
    parts = text.split("/")
    if len(parts) > 3 or not all(parts):
        raise InvalidParameter(f"invalid platform {text!r}: it is os[/arch[/variant]]")
    if parts[0] != "linux":
        raise InvalidParameter(f"operating system is not supported: {parts[0]}")
    architecture = parts[1] if len(parts) > 1 else machine.plain().architecture
    return parts[0], architecture, parts[2] if len(parts) > 2 else ""
