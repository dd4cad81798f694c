"""`lading images`."""

from __future__ import annotations

from lading.cli.ages import ago, local_time, rough_size, short
from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.listing import FILTER_HELP, FORMAT_HELP, Row, check_filter, filters_query, print_list
from lading.cli.say import out
from lading.cli.terminal import is_terminal, size
from lading.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session

_NONE = "<none>"
_UNKNOWN = "N/A"
_HEAD = "{{.Repository}}\t{{.Tag}}\t"
_TAIL = "{{.ID}}\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}"


class ImageRow(Row):
    """One name of one image (Engine API 1.51, "ImageSummary")."""

    HEADERS = {
        "Containers": "CONTAINERS",
        "CreatedAt": "CREATED AT",
        "CreatedSince": "CREATED",
        "Digest": "DIGEST",
        "ID": "IMAGE ID",
        "Repository": "REPOSITORY",
        "SharedSize": "SHARED SIZE",
        "Size": "SIZE",
        "Tag": "TAG",
        "UniqueSize": "UNIQUE SIZE",
        "VirtualSize": "SIZE",
    }

    def __init__(self, image: dict[str, Any], repository: str, tag: str, digest: str, truncate: bool) -> None:
        self._image = image
        self._repository = repository
        self._tag = tag
        self._digest = digest
        self._truncate = truncate

    def ID(self) -> str:
        identifier: str = self._image["Id"]
        return short(identifier) if self._truncate else identifier

    def Repository(self) -> str:
        return self._repository

    def Tag(self) -> str:
        return self._tag

    def Digest(self) -> str:
        return self._digest

    def CreatedSince(self) -> str:
        created = self._image["Created"]
        return ago(created) if created > 0 else ""

    def CreatedAt(self) -> str:
        created = self._image["Created"]
        return local_time(created) if created > 0 else ""

    def Size(self) -> str:
        return rough_size(self._image["Size"])

    def VirtualSize(self) -> str:
        return human_size(self._image["Size"])

    def Containers(self) -> str:
        count = self._image.get("Containers", -1)
        return _UNKNOWN if count == -1 else str(count)

    def SharedSize(self) -> str:
        size = self._image.get("SharedSize", -1)
        return _UNKNOWN if size == -1 else human_size(size)

    def UniqueSize(self) -> str:
        shared = self._image.get("SharedSize", -1)
        return _UNKNOWN if shared == -1 else human_size(self._image["Size"] - shared)


def _split_tag(reference: str) -> tuple[str, str]:
    name, colon, tag = reference.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (reference, _NONE)


def rows_of(image: dict[str, Any], truncate: bool, with_digests: bool) -> Iterator[ImageRow]:
    """One row per name; one without names where the image has none."""
    tags: dict[str, list[str]] = {}
    digests: dict[str, list[str]] = {}
    for reference in image.get("RepoTags") or ():
        if reference != "<none>:<none>":
            name, tag = _split_tag(reference)
            tags.setdefault(name, []).append(tag)
    for reference in image.get("RepoDigests") or ():
        if reference != "<none>@<none>":
            name, _, digest = reference.partition("@")
            digests.setdefault(name, []).append(digest)
    if not tags and not digests:
        yield ImageRow(image, _NONE, _NONE, _NONE, truncate)
    for name, its_tags in tags.items():
        its_digests = digests.pop(name, []) if with_digests else []
        digests.pop(name, None)
        for tag in its_tags:
            for digest in its_digests or [_NONE]:
                yield ImageRow(image, name, tag, digest, truncate)
    for name, its_digests in digests.items():
        for digest in its_digests if with_digests else its_digests[:1]:
            yield ImageRow(image, name, _NONE, digest if with_digests else _NONE, truncate)


def run(session: Session, given: Given) -> None:
    query = [("all", "1")] if given["all"] else []
    filters = list(given["filter"])
    if given.operands:
        filters.append(f"reference={given.operands[0]}")
    query += filters_query(filters)
    if given["tree"]:
        _tree(session, given, query)
        return
    images = session.client.get("/images/json", query)
    template = session.format(given, "imagesFormat")
    with_digests = given["digests"] or ".Digest" in template
    rows = [row for image in images for row in rows_of(image, not given["no-trunc"], with_digests)]
    table = _HEAD + ("{{.Digest}}\t" if given["digests"] else "") + _TAIL
    print_list(rows, ImageRow, template, table, given["quiet"])


def _tree(session: Session, given: Given, query: list[tuple[str, str]]) -> None:
    from lading.cli.image_branches import branch_of, is_dangling
    from lading.cli.image_details import details_of, mark_used
    from lading.cli.image_tree import image_tree

    for flag, name in (
        ("quiet", "quiet"),
        ("no-trunc", "no-trunc"),
        ("digests", "show-digest"),
        ("format", "format"),
    ):
        if given[flag]:
            raise CommandFailed(f"--{name} is not yet supported with --tree")
    images = session.client.get("/images/json", [*query, ("manifests", "1")])
    if not given["all"] and not any(text.startswith("dangling=") for text in given["filter"]):
        images = [image for image in images if not is_dangling(image)]
    images.sort(key=lambda image: -image["Created"])
    mark_used(session.client, images)
    branches = [branch_of(image, details_of(session.client, image)) for image in images]
    out(image_tree(branches, size()[1], is_terminal(1)))


COMMAND = Command(
    "images",
    "[REPOSITORY[:TAG]]",
    "List images",
    (
        Flag("all", "a", "", "Show all images (default hides intermediate images)"),
        Flag("digests", "", "", "Show digests"),
        Flag("filter", "f", "filter", FILTER_HELP, gathers=True, check=check_filter),
        Flag("format", "", "string", FORMAT_HELP),
        Flag("no-trunc", "", "", "Don't truncate output"),
        Flag("quiet", "q", "", "Only show image IDs"),
        Flag("tree", "", "", "List multi-platform images as a tree (EXPERIMENTAL)", since="1.47"),
    ),
    run,
    most=1,
    aliases=("image ls", "image list", "images"),
)
