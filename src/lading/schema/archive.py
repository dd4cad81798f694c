"""What the archive operations say of paths and files, on both sides of the wire. Pure.

Source: Engine API 1.51, ContainerArchive; Go's path/filepath and io/fs.FileMode,
in whose terms docker's clients read and write these.
"""

import posixpath
import stat

MODE_DIRECTORY = 1 << 31
MODE_SYMLINK = 1 << 27
MODE_DEVICE = 1 << 26
MODE_IRREGULAR = 1 << 19

_KINDS = {
    stat.S_IFDIR: MODE_DIRECTORY,
    stat.S_IFLNK: MODE_SYMLINK,
    stat.S_IFBLK: MODE_DEVICE,
    stat.S_IFCHR: MODE_DEVICE | 1 << 21,
    stat.S_IFIFO: 1 << 25,
    stat.S_IFSOCK: 1 << 24,
    stat.S_IFREG: 0,
}


def file_mode(mode: int) -> int:
    """A file's mode as Go's fs.FileMode has it."""
    special = (mode & stat.S_ISUID and 1 << 23) | (mode & stat.S_ISGID and 1 << 22)
    sticky = mode & stat.S_ISVTX and 1 << 20
    return mode & 0o777 | _KINDS.get(stat.S_IFMT(mode), MODE_IRREGULAR) | special | sticky


def clean(path: str) -> str:
    """filepath.Clean: without what does not matter, "." where nothing is left."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def base(path: str) -> str:
    """filepath.Base: the last part, "." for an empty path, "/" for the root."""
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def means_content(path: str) -> bool:
    """Whether it ends in "/.": what is in the directory, not the directory."""
    return base(path) == "."


def preserve_end(cleaned: str, original: str) -> str:
    """The "/." or "/" at the end of `original` on the path it was cleaned to: both mean something here."""
    if not means_content(cleaned) and means_content(original):
        cleaned = (cleaned if cleaned.endswith("/") else f"{cleaned}/") + "."
    if not cleaned.endswith("/") and original.endswith("/"):
        cleaned += "/"
    return cleaned


def absolute(path: str) -> str:
    """A path in a container, from its root, with its end preserved."""
    return preserve_end(clean(f"/{path}"), path)


def split_entry(path: str) -> tuple[str, str]:
    """The directory and the entry in it that a path means; the entry is "." for "dir/."."""
    cleaned = clean(path)
    if means_content(path):
        cleaned = "." if cleaned == "." else f"{cleaned.rstrip('/')}/."
        return clean(posixpath.dirname(cleaned) or "."), "."
    return clean(posixpath.dirname(cleaned) or "."), base(cleaned)


def within(path: str, directory: str) -> bool:
    """Whether a clean absolute path is `directory` or below it."""
    return path == directory or path.startswith(f"{directory.rstrip('/')}/")
