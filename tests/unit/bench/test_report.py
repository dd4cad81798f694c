"""Ratios that a reader would draw conclusions from."""

from bench import report


def test_a_ratio_is_of_medians_and_its_spread_is_over_rounds() -> None:
    line = report.compare("t", "ms", "", ours=[[1, 2, 90], [4, 4, 4]], peers=[[20, 20, 20], [20, 20, 20]])
    assert (line.ours, line.ours_spread) == (4, (2, 4))
    assert (line.peers, line.ratio) == (20, 5)
    assert line.ratio_spread == (5, 10)


def test_nothing_is_infinitely_less_than_something() -> None:
    line = report.compare("t", "MB", "", ours=[[0.0]], peers=[[4.5]])
    assert "∞ (∞–∞)" in report.table([line], "ours", "peer")


def test_the_table_shows_both_engines_and_what_was_wanted() -> None:
    line = report.compare("the cycle", "ms", "≤ 25 ms", ours=[[12.345]], peers=[[350.4]])
    row = report.table([line], "ours", "peer").splitlines()[2]
    assert row == "| the cycle | ms | 12.3 (12.3–12.3) | 350 (350–350) | 28.4 (28.4–28.4) | ≤ 25 ms |"
