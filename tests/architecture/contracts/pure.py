"""Rule 4: what decides does not act."""

import ast
import re
from collections.abc import Iterable

from grimp import ImportGraph
from importlinter import fields
from tests.architecture.contracts.breaches import BreachContract, source

# A module's docstring claims it in a sentence that begins with the word.
_CLAIM = re.compile(r"(^|[.:]\s+)Pure\b")


class PureContract(BreachContract):
    """A module whose docstring says "Pure." imports nothing of `forbidden`; `always` must say so.

    It may import other pure modules, the hall and the words (`values`), and doors of
    rooms it takes plain values from, but itself has no clock, socket, loop, process or
    database.
    """

    type_name = "pure"
    advice = "Pass values in and hand values out; let the caller act."

    always = fields.SetField(subfield=fields.StringField(), required=False, default=None)
    forbidden = fields.SetField(subfield=fields.StringField())

    def breaches(self, graph: ImportGraph) -> Iterable[str]:
        forbidden = self.words("forbidden")
        always = self.words("always")
        for module in self.ours(graph):
            pure = _CLAIM.search(ast.get_docstring(ast.parse(source(module).read_text())) or "")
            if not pure and module in always:
                yield f'{module} decides: its docstring should say "Pure."'
            if not (pure or module in always):
                continue
            for imported in sorted(graph.find_modules_directly_imported_by(module)):
                if imported in forbidden or any(self.within(imported, name) for name in forbidden):
                    yield f"{module} decides, but imports {imported}"
