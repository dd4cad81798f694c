"""The images of an OCI layout: an index of manifests, of indexes, and of things that are no images.

Source: image-spec image-layout.md, image-index.md and manifest.md; the
annotation `io.containerd.image.name`; containerd's and moby's ways to choose a
platform. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lading.errors import InvalidParameter, NotFound
from lading.oci import image as oci
from lading.oci import platforms

REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"

_MAX_DEPTH = 4
# Nothing honest lists more, and each may be asked for its platform.
_MAX_MANIFESTS = 10_000
_CONFIG_TYPES = ("", oci.CONFIG, oci.DOCKER_CONFIG)
_MANIFEST_TYPES = ("", oci.MANIFEST, oci.DOCKER_MANIFEST)
_LAYER_TYPES = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")


@dataclass(slots=True)
class PlannedImage:
    """One image: its configuration, where its layers are in the archive, and what it is called.

    `sizes` says how many bytes the layers' blobs should have, 0 where nothing
    does. `others` are documents that belong to it too, with their media types.
    """

    config: bytes
    layers: list[str]
    names: list[str] = field(default_factory=list)
    manifest: bytes = b""
    config_type: str = oci.CONFIG
    parent: str = ""
    sizes: list[int] = field(default_factory=list)
    others: list[tuple[bytes, str]] = field(default_factory=list)

    @property
    def manifest_type(self) -> str:
        """The media type of the manifest, of which Docker has its own."""
        said = oci.decode(oci.Manifest, self.manifest, "image manifest").media_type if self.manifest else ""
        return said or oci.MANIFEST


@dataclass(slots=True)
class _Leaf:
    """A manifest that is an image, and the indexes that led to it with their media types."""

    body: bytes
    manifest: oci.Manifest
    platform: oci.Platform
    indexes: tuple[tuple[bytes, str], ...]


def has_indexes(index: bytes) -> bool:
    """Whether a layout's `index.json` leads to images for several platforms."""
    return any(
        each.media_type in oci.INDEX_TYPES for each in oci.decode(oci.Index, index, "index.json").manifests
    )


def layout(
    documents: Mapping[str, bytes], host: oci.Platform, wanted: Sequence[oci.Platform]
) -> list[PlannedImage]:
    """The images of a layout, one for each name (see `plan.plan`)."""
    index = oci.decode(oci.Index, documents["index.json"], "index.json")
    planned: dict[str, PlannedImage] = {}
    reasons: list[str] = []
    for name, descriptors in _grouped(index.manifests):
        leaves = list(_Walk(documents, reasons).leaves(descriptors))
        for position, leaf in enumerate(_chosen(leaves, host, wanted, name)):
            digest = oci.digest_of(leaf.body)
            if digest not in planned:
                planned[digest] = _planned(documents, leaf)
            # A name means one image only: that for the platform asked for first.
            if name and not position and name not in planned[digest].names:
                planned[digest].names.append(name)
    if not planned and wanted and not reasons:
        raise none_for(wanted)
    if not planned:
        raise InvalidParameter("; ".join(reasons) or "the archive holds no image")
    return list(planned.values())


def _grouped(descriptors: Iterable[oci.Descriptor]) -> list[tuple[str, list[oci.Descriptor]]]:
    """Manifests of one name are one image for several platforms; nameless ones stand alone."""
    groups: dict[str, list[oci.Descriptor]] = {}
    nameless = []
    for descriptor in descriptors:
        if name := _name(descriptor.annotations or {}):
            groups.setdefault(name, []).append(descriptor)
        else:
            nameless.append(("", [descriptor]))
    return [*groups.items(), *nameless]


def _name(annotations: Mapping[str, str]) -> str:
    full = annotations.get(CONTAINERD_NAME, "")
    if full:
        return full
    # By the specification only the tag; many tools put the whole name there.
    name = annotations.get(REF_NAME, "")
    return name if ":" in name or "/" in name else ""


def _chosen(
    leaves: Sequence[_Leaf], host: oci.Platform, wanted: Sequence[oci.Platform], name: str
) -> list[_Leaf]:
    if not wanted:
        # Where nothing runs here, the image is wanted all the same: to be saved or pushed again.
        return [leaves[platforms.best(host, [leaf.platform for leaf in leaves]) or 0]] if leaves else []
    chosen = []
    for platform in wanted:
        fitting = [leaf for leaf in leaves if platforms.matches(platform, leaf.platform)]
        if not fitting and name:
            there = ", ".join(platforms.shown(leaf.platform) for leaf in leaves) or "none"
            raise NotFound(
                f"image {name} doesn't provide the requested platform ({platforms.shown(platform)}), "
                f"but: {there}"
            )
        chosen += fitting[:1]
    return chosen


def none_for(wanted: Sequence[oci.Platform]) -> NotFound:
    """What to raise where nothing is for the platforms wanted."""
    said = ", ".join(map(platforms.shown, wanted))
    return NotFound(f"no images providing the requested platform {said} found")


class _Walk:
    """Goes down from one name's descriptors to manifests of images; says in `reasons` what is none."""

    def __init__(self, documents: Mapping[str, bytes], reasons: list[str]) -> None:
        self._documents = documents
        self._reasons = reasons
        self._seen: set[str] = set()

    def leaves(
        self, descriptors: Iterable[oci.Descriptor], above: tuple[tuple[bytes, str], ...] = ()
    ) -> Iterator[_Leaf]:
        for descriptor in descriptors:
            if descriptor.digest in self._seen or _is_attestation(descriptor):
                continue
            self._seen.add(descriptor.digest)
            if len(self._seen) > _MAX_MANIFESTS:
                raise InvalidParameter(f"an image of more than {_MAX_MANIFESTS} manifests")
            path = blob_path(descriptor.digest)
            if path not in self._documents:
                # A layout may leave out the platforms nobody asked for.
                self._reasons.append(f"the archive is incomplete: {path!r} is missing")
                continue
            body = blob(self._documents, descriptor)
            if descriptor.media_type in oci.INDEX_TYPES:
                if len(above) == _MAX_DEPTH:
                    raise InvalidParameter("image indexes are nested too deeply")
                inner = oci.decode(oci.Index, body, "image index").manifests
                yield from self.leaves(inner, (*above, (body, descriptor.media_type)))
            elif (leaf := self._leaf(descriptor, body, above)) is not None:
                yield leaf

    def _leaf(
        self, descriptor: oci.Descriptor, body: bytes, above: tuple[tuple[bytes, str], ...]
    ) -> _Leaf | None:
        if descriptor.media_type not in _MANIFEST_TYPES:
            self._reasons.append(f"unsupported media type {descriptor.media_type!r} of {descriptor.digest}")
            return None
        manifest = oci.decode(oci.Manifest, body, "image manifest")
        if unknown := _unknown_type(manifest):
            self._reasons.append(f"{descriptor.digest} is no image: unsupported media type {unknown!r}")
            return None
        platform = descriptor.platform
        if platform is None:
            config = blob(self._documents, manifest.config)
            platform = oci.decode(oci.Image, config, "image configuration").platform
        return _Leaf(body, manifest, platform, above)


def _unknown_type(manifest: oci.Manifest) -> str:
    """A media type that no image has, if there is one: manifests list all kinds of things."""
    if manifest.config.media_type not in _CONFIG_TYPES:
        return manifest.config.media_type
    types = [layer.media_type for layer in manifest.layers]
    return next((each for each in types if each and not each.startswith(_LAYER_TYPES)), "")


def _is_attestation(descriptor: oci.Descriptor) -> bool:
    return descriptor.platform is not None and descriptor.platform.os == "unknown"


def _planned(documents: Mapping[str, bytes], leaf: _Leaf) -> PlannedImage:
    config = blob(documents, leaf.manifest.config)
    check_system(oci.decode(oci.Image, config, "image configuration"))
    return PlannedImage(
        config,
        [blob_path(layer.digest) for layer in leaf.manifest.layers],
        manifest=leaf.body,
        config_type=leaf.manifest.config.media_type or oci.CONFIG,
        sizes=[layer.size for layer in leaf.manifest.layers],
        others=list(leaf.indexes),
    )


def check_system(config: oci.Image) -> None:
    """Raises InvalidParameter where the image is for another kernel."""
    if config.os.lower() not in ("", "linux"):
        raise InvalidParameter(f"cannot load {config.os} image on linux")


def document(documents: Mapping[str, bytes], path: str) -> bytes:
    """A file of the archive. Raises InvalidParameter where it is missing."""
    try:
        return documents[path]
    except KeyError:
        raise InvalidParameter(f"the archive is incomplete: {path!r} is missing") from None


def blob_path(digest: str) -> str:
    """Where a layout keeps a blob. Raises InvalidParameter for what is no digest."""
    if not oci.is_digest(digest):
        raise InvalidParameter(f"unsupported digest {digest!r}")
    return f"blobs/{digest.replace(':', '/')}"


def blob(documents: Mapping[str, bytes], descriptor: oci.Descriptor) -> bytes:
    """A small blob, verified. Raises InvalidParameter."""
    body = document(documents, blob_path(descriptor.digest))
    check_size(descriptor.digest, descriptor.size, len(body))
    if oci.digest_of(body) != descriptor.digest:
        raise InvalidParameter(f"digest mismatch: expected {descriptor.digest}, got {oci.digest_of(body)}")
    return body


def check_size(digest: str, said: int, actual: int) -> None:
    """Raises InvalidParameter where a descriptor lies on a size; 0 says nothing."""
    if said not in (0, actual):
        raise InvalidParameter(f"size mismatch of {digest}: expected {said} bytes, got {actual}")
