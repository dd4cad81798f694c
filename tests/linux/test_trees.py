"""Trees that change, or are not only what they seem, while one goes through them."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lading.linux import trees


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A directory of which one part is mounted from elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/kept").write_text("another's")
    (tmp_path / "tree/a/mount").mkdir(parents=True)
    (tmp_path / "tree/a/own").write_text("own")
    at = str(tmp_path / "tree/a/mount")
    subprocess.run(["mount", "--bind", tmp_path / "elsewhere", at], check=True)
    yield tmp_path
    subprocess.run(["umount", at], check=True)


def test_what_is_mounted_inside_is_neither_counted_nor_removed(mounted: Path) -> None:
    sizes = sorted(found.st_size for found in trees.walk(f"{mounted}/tree/a") if found.st_size < 100)
    assert sizes == [3]
    with pytest.raises(OSError):
        trees.remove_tree(f"{mounted}/tree")
    assert (mounted / "elsewhere/kept").read_text() == "another's"


def test_a_link_in_the_place_of_a_directory_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/kept").touch()
    (tmp_path / "tree/inner").mkdir(parents=True)
    (tmp_path / "tree/link").symlink_to(tmp_path / "elsewhere")
    assert len(list(trees.walk(f"{tmp_path}/tree"))) == 2
    trees.remove_tree(f"{tmp_path}/tree")
    assert os.listdir(tmp_path) == ["elsewhere"]
    assert (tmp_path / "elsewhere/kept").exists()


def test_nobody_is_led_out_of_a_tree_by_moving_what_he_is_in(tmp_path: Path) -> None:
    (tmp_path / "tree/a/b").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    with trees.Descent(os.open(tmp_path / "tree", os.O_RDONLY)) as place:
        place.down("a")
        place.down("b")
        os.rename(tmp_path / "tree/a/b", tmp_path / "outside/b")
        with pytest.raises(OSError):
            place.up()
        assert os.readlink(f"/proc/self/fd/{place.descriptor}") == f"{tmp_path}/outside/b"


def test_an_entry_may_be_anything_or_gone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "full/inner/most").mkdir(parents=True)
    (tmp_path / "full/inner/file").touch()
    directory = os.open(tmp_path, os.O_RDONLY)
    for name in (b"file", b"empty", b"full", b"never"):
        trees.remove_entry(directory, name)
    os.close(directory)
    assert os.listdir(tmp_path) == []
