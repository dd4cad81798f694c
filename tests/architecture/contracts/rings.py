"""Rule 7: no rings, at any depth."""

from collections.abc import Iterable

from grimp import ImportGraph
from tests.architecture.contracts.breaches import BreachContract


class NoRingsContract(BreachContract):
    """No module reaches itself, by whatever way."""

    type_name = "no_rings"
    advice = "Move what both need below both, or pass it in."

    def breaches(self, graph: ImportGraph) -> Iterable[str]:
        modules = self.ours(graph)
        reach = {module: graph.find_upstream_modules(module) for module in modules}
        seen: set[str] = set()
        for module in modules:
            ring = {other for other in reach[module] if module in reach.get(other, ())} - {module}
            if ring and module not in seen:
                seen |= ring | {module}
                yield f"in a ring: {', '.join(sorted(ring | {module}))}"
