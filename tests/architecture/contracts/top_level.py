"""Rule 7: no import inside a function, which could hide a ring."""

import ast
from collections.abc import Iterable

from grimp import ImportGraph
from importlinter import fields
from tests.architecture.contracts.breaches import BreachContract, source


class TopLevelContract(BreachContract):
    """All rooms but `exempt` import at the top of their modules."""

    type_name = "top_level"
    advice = "Import at the top of the module. If that makes a ring, the ring is what to mend."

    exempt = fields.SetField(subfield=fields.StringField(), required=False, default=None)

    def breaches(self, graph: ImportGraph) -> Iterable[str]:
        exempt = self.words("exempt")
        for module in self.ours(graph):
            if self.room(module) in exempt:
                continue
            for outer in ast.walk(ast.parse(source(module).read_text())):
                if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
                    for inner in ast.walk(outer):
                        if isinstance(inner, ast.Import | ast.ImportFrom):
                            yield f"{module}:{inner.lineno} imports inside {outer.name}"
