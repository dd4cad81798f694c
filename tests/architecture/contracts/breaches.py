"""What the contracts share: the root package, its rooms, and how breaches are shown."""

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output


class BreachContract(Contract):
    """A contract whose check is a list of sentences, one for each breach."""

    advice: ClassVar[str] = ""

    def breaches(self, graph: ImportGraph) -> Iterable[str]:
        raise NotImplementedError

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        found = sorted(set(self.breaches(graph)))
        return ContractCheck(kept=not found, metadata={"breaches": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for breach in check.metadata["breaches"]:
            output.print_error(f"- {breach}", bold=False)
        output.new_line()
        output.print(self.advice)
        output.new_line()

    def words(self, option: str) -> set[str]:
        """An option's values; import-linter puts them where it declared the field."""
        return set(getattr(self, option) or ())

    @property
    def root(self) -> str:
        return str(self.session_options["root_packages"][0])

    def ours(self, graph: ImportGraph) -> list[str]:
        """Modules of the root package; the graph knows external packages too."""
        return sorted(name for name in graph.modules if self.within(name, self.root))

    def room(self, module: str) -> str:
        """The room a module is in: the first name below the root package."""
        parts = module.split(".")
        return parts[1] if len(parts) > 1 else ""

    @staticmethod
    def within(module: str, package: str) -> bool:
        return module == package or module.startswith(f"{package}.")


def source(module: str) -> Path:
    """A module's file, found without importing it."""
    root, *rest = module.split(".")
    spec = importlib.util.find_spec(root)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"no package {root}")
    path = Path(spec.submodule_search_locations[0]).joinpath(*rest)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
