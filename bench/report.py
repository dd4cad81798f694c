"""From samples to ratios and tables. Pure: values in, text out."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Rounds = Sequence[Sequence[float]]
"""Samples of one measure, round by round."""


@dataclass(frozen=True, slots=True)
class Line:
    """One measure of two engines: medians over all samples, spread over the rounds.

    `ratio` is the peer's median divided by ours, so more than 1 is in our favour.
    """

    title: str
    unit: str
    bar: str
    ours: float
    ours_spread: tuple[float, float]
    peers: float
    peers_spread: tuple[float, float]
    ratio: float
    ratio_spread: tuple[float, float]


def compare(title: str, unit: str, bar: str, ours: Rounds, peers: Rounds) -> Line:
    """Compares two engines in one measure. Each round's ratio is that of its own medians."""
    our_medians = [statistics.median(samples) for samples in ours]
    peer_medians = [statistics.median(samples) for samples in peers]
    ratios = [_ratio(peer, our) for our, peer in zip(our_medians, peer_medians, strict=True)]
    our = statistics.median([sample for samples in ours for sample in samples])
    peer = statistics.median([sample for samples in peers for sample in samples])
    return Line(
        title, unit, bar,
        our, (min(our_medians), max(our_medians)),
        peer, (min(peer_medians), max(peer_medians)),
        _ratio(peer, our), (min(ratios), max(ratios)),
    )  # fmt: skip


def table(lines: Sequence[Line], ours: str, peer: str) -> str:
    """A table in Markdown."""
    rows = [
        f"| | unit | {ours} | {peer} | ratio | wanted |",
        "|-|-|-:|-:|-:|-|",
        *(
            f"| {line.title} | {line.unit} | {_spread(line.ours, line.ours_spread)} "
            f"| {_spread(line.peers, line.peers_spread)} "
            f"| {_spread(line.ratio, line.ratio_spread)} | {line.bar} |"
            for line in lines
        ),
    ]
    return "\n".join(rows) + "\n"


def document(lines: Sequence[Line], facts: Mapping[str, str], ours: str, peer: str) -> str:
    """RESULTS.md."""
    return "\n".join(
        [
            "# Side by side",
            "",
            "Made by `bench/run`. Both engines were started fresh in every round, in turn, each in",
            "namespaces of its own. A cell is the median over all samples and, in brackets, the lowest",
            "and the highest median of a round. The ratio is the peer's median divided by ours: more",
            "than 1 is in our favour. PSS counts a page shared with processes outside the engine, such as",
            "this benchmark's own interpreter, only in part.",
            "",
            table(lines, ours, peer),
            "| ran on | |",
            "|-|-|",
            *(f"| {name} | {value} |" for name, value in facts.items()),
            "",
        ]
    )


def _ratio(peer: float, our: float) -> float:
    # Memory per container may come out as nothing or, by noise, as less: then any ratio is unbounded.
    return peer / our if our > 0 else float("inf")


def _spread(value: float, spread: tuple[float, float]) -> str:
    low, high = (_figure(end) for end in spread)
    return f"{_figure(value)} ({low}–{high})"


def _figure(value: float) -> str:
    if value == float("inf"):
        return "∞"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
