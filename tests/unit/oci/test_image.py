"""Image documents as different builders write them."""

import pytest

from lading.errors import InvalidParameter
from lading.oci import image as oci


def test_null_is_taken_for_anything_unset() -> None:
    data = b"""{"os": "linux", "author": null, "variant": null, "history": [{"created_by": null}],
        "config": {"User": null, "Cmd": null, "Labels": {"a": "b"}, "ArgsEscaped": null},
        "rootfs": {"type": "layers", "diff_ids": null}}"""
    document = oci.decode(oci.Image, data, "image")
    assert (document.author, document.diff_ids) == ("", [])
    assert document.config == oci.ImageConfig(labels={"a": "b"})


def test_a_lone_word_is_a_list_of_one() -> None:
    document = oci.decode(oci.Image, b'{"config": {"Cmd": "sh", "Entrypoint": ["a", "b"]}}', "image")
    assert document.config == oci.ImageConfig(cmd=["sh"], entrypoint=["a", "b"])


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"os": 1}', b'{"config": {"Env": ["A=1", 2]}}', b"\xff"]
)
def test_what_is_no_image_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(InvalidParameter, match="invalid image"):
        oci.decode(oci.Image, data, "image")


def test_chain_ids_of_the_specification() -> None:
    one, two = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    assert oci.chain_ids([]) == []
    assert oci.chain_ids([one, two]) == [one, oci.digest_of(f"{one} {two}".encode())]
