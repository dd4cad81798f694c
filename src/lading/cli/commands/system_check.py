"""`lading system check`, which docker does not have: are the images on the engine's disk whole?"""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.progress import show
from lading.cli.say import err, out
from lading.client import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session

_NOT_IMPLEMENTED = (404, 501)


def run(session: Session, given: Given) -> int:
    if given["format"] not in ("", "json"):
        raise CommandFailed(f'unknown format "{given["format"]}": must be "json"')
    report = _report(session, given)
    if given["format"]:
        import json

        out(json.dumps(report, indent=4, ensure_ascii=False))
    else:
        out(_text(report))
    left = [finding for finding in report["Findings"] if not finding.get("Repaired")]
    mendable = any(finding.get("Repairable", True) for finding in left)
    if mendable and not given["format"] and not given["repair"]:
        err("Run 'lading system check --repair' to mend what can be mended.")
    return 1 if left else 0


def _report(session: Session, given: Given) -> dict[str, Any]:
    query = [(name, "1") for name in ("repair", "deep") if given[name]]
    try:
        answer = session.client.stream("POST", "/lading/system/check", query)
    except ApiError as refusal:
        if refusal.status in _NOT_IMPLEMENTED:
            raise CommandFailed(f"this engine cannot check itself: {refusal.message}") from None
        raise
    reports: list[dict[str, Any]] = []
    try:
        failure = show(answer.objects(), None if given["format"] else 2, reports.append)
    finally:
        answer.close()
    if failure:
        raise CommandFailed(failure)
    if not reports:
        raise CommandFailed("the engine ended its check without a report")
    report = reports[-1]
    return {**report, "Findings": report.get("Findings") or []}


def _text(report: dict[str, Any]) -> str:
    checked = report.get("Checked") or {}
    counts = ", ".join(f"{checked.get(name, 0)} {name.lower()}" for name in ("Images", "Layers", "Blobs"))
    lines = [f"Checked {counts}."]
    for finding in report["Findings"]:
        done = " (repaired)" if finding.get("Repaired") else ""
        kind, subject, problem = (finding.get(name, "") for name in ("Kind", "Subject", "Problem"))
        lines.append(f"{kind} {subject}: {problem}{done}")
    if not report["Findings"]:
        lines.append("Everything is whole.")
    return "\n".join(lines)


COMMAND = Command(
    "system check",
    "",
    "Verify the images on the engine's disk",
    (
        Flag("deep", "", "", "Unpack every layer anew, too, and compare it with what containers see"),
        Flag("format", "", "string", "Format output: 'json' prints the whole report as JSON"),
        Flag(
            "repair", "", "", "Drop damaged blobs, make damaged layers anew, remove what belongs to nothing"
        ),
    ),
    run,
    most=0,
)
