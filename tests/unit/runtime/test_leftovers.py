"""What killed daemons leave in bundles."""

from pathlib import Path

from lading.runtime.leftovers import remove_files


def test_only_files_of_commands_that_nobody_holds_go(tmp_path: Path) -> None:
    held, gone = "ab" * 32, "cd" * 32
    kept = {"config.json", "init.pid", f"{held}.exit"}
    for name in (*kept, f"{gone}.json", f"{gone}.exit"):
        (tmp_path / name).touch()
    remove_files(str(tmp_path), {held})
    assert {path.name for path in tmp_path.iterdir()} == kept
