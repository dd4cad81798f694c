"""Which manifest an image has, and which blobs its layers are.

An image that was pulled has the manifest it came with, byte for byte. One that
was loaded, imported or committed may have none, and its layers are what was
kept of each when it arrived.
"""

from lading.errors import InternalError
from lading.images.context import Context
from lading.images.record import Image
from lading.oci import image as oci


def kept(ctx: Context, image: Image) -> tuple[bytes, oci.Manifest] | None:
    """The manifest an image came with, or None where it or a blob it speaks of is not here."""
    digest = image.manifest_digest
    if not digest or not ctx.content.has(digest):
        return None
    body = ctx.content.read(digest)
    if oci.digest_of(body) != digest:
        # After a power cut. Without it the image is as good as one that never had one.
        return None
    manifest = oci.decode(oci.Manifest, body, "image manifest")
    if manifest.config.digest != image.id or len(manifest.layers) != len(image.document.diff_ids):
        return None
    if not all(ctx.content.has(layer.digest) for layer in manifest.layers):
        return None
    return body, manifest


def layers(ctx: Context, image: Image) -> list[oci.Descriptor]:
    """The blobs of the layers as they are stored, lowest first. Raises InternalError."""
    found = []
    for chain_id in oci.chain_ids(image.document.diff_ids):
        layer = ctx.snapshots.layer(chain_id)
        if layer is None or not ctx.content.has(layer.blob_digest):
            raise InternalError(f"layer {chain_id} of image {image.id} is not there: load or pull it again")
        found.append(described(ctx, layer.blob_digest))
    return found


def whole(ctx: Context, image: Image) -> bool:
    """Whether the blobs of all its layers are here, so that it can be saved and pushed."""
    chain = map(ctx.snapshots.layer, oci.chain_ids(image.document.diff_ids))
    return all(layer is not None and ctx.content.has(layer.blob_digest) for layer in chain)


def described(ctx: Context, digest: str) -> oci.Descriptor:
    """A blob that is here. Raises NotFound."""
    return oci.Descriptor(ctx.content.media_type(digest), digest, ctx.content.size(digest))
