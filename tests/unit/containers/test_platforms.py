"""Images for this machine, for another, and what clients ask for."""

import pytest

from lading.containers.platforms import check_platform
from lading.errors import InvalidParameter, NotFound
from lading.oci.image import Image

AMD = Image(os="linux", architecture="amd64")
ARM = Image(os="linux", architecture="arm64", variant="v8")


@pytest.mark.parametrize(
    ("wanted", "image"),
    [
        ("", AMD),
        ("linux", AMD),
        ("linux/x86_64", AMD),
        ("amd64", AMD),
        ("linux/arm64", ARM),
        ("linux/arm64/v8", ARM),
        ("linux/amd64/v2", AMD),
    ],
)
def test_images_that_will_do(wanted: str, image: Image) -> None:
    assert check_platform(wanted, "an/image", image, "x86_64") == []


def test_an_image_for_another_machine_is_run_with_a_warning() -> None:
    [warning] = check_platform("", "an/image", ARM, "x86_64")
    assert "(linux/arm64/v8) does not match the detected host platform (linux/amd64)" in warning


def test_the_platform_asked_for_is_missing() -> None:
    with pytest.raises(NotFound) as caught:
        check_platform("linux/arm64", "an/image", AMD, "x86_64")
    assert caught.value.message == (
        "image with reference an/image was found but does not match the specified platform: "
        "wanted linux/arm64, actual: linux/amd64"
    )


@pytest.mark.parametrize("wanted", ["a/b/c/d", "linux//v8", "/"])
def test_what_is_no_platform(wanted: str) -> None:
    with pytest.raises(InvalidParameter):
        check_platform(wanted, "an/image", AMD, "x86_64")
