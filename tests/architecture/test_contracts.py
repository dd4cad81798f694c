"""Each contract of ours is broken by the house it is meant to forbid, and kept by the one it allows."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grimp
import pytest
from tests.architecture import contracts
from tests.architecture.contracts.breaches import BreachContract

House = Callable[[dict[str, str]], grimp.ImportGraph]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Builds a package `house` out of module texts and reads its imports."""

    def build(modules: dict[str, str]) -> grimp.ImportGraph:
        for name, text in {"__init__": "", **modules}.items():
            path = tmp_path / "house" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        return grimp.build_graph("house", include_external_packages=True, cache_dir=None)

    yield build
    sys.modules.pop("house", None)


def breaches(kind: type[BreachContract], graph: grimp.ImportGraph, **options: Any) -> list[str]:
    check = kind("", {"root_packages": ["house"]}, options).check(graph, verbose=False)
    found: list[str] = check.metadata["breaches"]
    assert check.kept == (not found)
    return found


def test_the_front_door_is_the_only_way_in(house: House) -> None:
    graph = house(
        {
            "inn/__init__": "from house.inn.serve import serve\n__all__ = ['serve']",
            "inn/kitchen": "cook = 1",
            "inn/serve": "def serve(): pass",
            "tools/saw": "",
            "guest/polite": "from house.inn import serve\nfrom house.tools import saw",
            "guest/burglar": "from house.inn.kitchen import cook",
            "guest/thief": "from house.inn.serve import serve",
        }
    )
    found = breaches(contracts.FrontDoorsContract, graph, toolboxes=["tools"])
    assert found == [
        "house.guest.burglar walks past the front door into house.inn.kitchen",
        "house.guest.thief walks past the front door into house.inn.serve",
    ]


def test_the_client_wing_is_apart_even_through_a_third_room(house: House) -> None:
    graph = house(
        {"cli/a": "import house.words.b", "words/b": "import house.state.c", "state/c": "", "cli/d": ""}
    )
    found = breaches(contracts.WingContract, graph, rooms=["cli"], shared=["words"])
    assert found == [
        "house.cli.a reaches the server wing: house.cli.a → house.words.b → house.state.c",
    ]


def test_what_calls_itself_pure_may_not_act(house: House) -> None:
    graph = house(
        {
            "a": '"""Decides. Pure."""\nimport time',
            "b": '"""Pure: values only."""\nimport json',
            "c": '"""Acts."""\nimport time',
            "d": '"""Ought to be pure."""',
        }
    )
    found = breaches(contracts.PureContract, graph, forbidden=["time"], always=["house.d"])
    assert found == ["house.a decides, but imports time", 'house.d decides: its docstring should say "Pure."']


def test_the_keeper_knows_only_the_standard_library(house: House) -> None:
    graph = house(
        {"keeper/a": "import os, house.keeper.b, asyncio", "keeper/b": "import msgspec, house.ids", "ids": ""}
    )
    found = breaches(contracts.AloneContract, graph, alone="house.keeper", heavy=["asyncio"])
    assert found == [
        "house.keeper.a imports asyncio",
        "house.keeper.b imports house.ids",
        "house.keeper.b imports msgspec",
    ]


def test_a_ring_of_three_modules_is_seen(house: House) -> None:
    graph = house(
        {"a": "import house.b", "b": "import house.deep.c", "deep/c": "import house.a", "d": "import house.a"}
    )
    assert breaches(contracts.NoRingsContract, graph) == ["in a ring: house.a, house.b, house.deep.c"]


def test_an_import_inside_a_function_is_seen(house: House) -> None:
    graph = house(
        {
            "room/a": "def f():\n    if 1:\n        import os\n",
            "room/b": "import os",
            "cli/c": "def f(): import os",
        }
    )
    found = breaches(contracts.TopLevelContract, graph, exempt=["cli"])
    assert found == ["house.room.a:3 imports inside f"]
