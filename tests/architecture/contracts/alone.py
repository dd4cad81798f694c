"""Rule 5: keeper and resolver stand alone."""

import sys
from collections.abc import Iterable

from grimp import ImportGraph
from importlinter import fields
from tests.architecture.contracts.breaches import BreachContract


class AloneContract(BreachContract):
    """`room` imports itself and the standard library without what is `heavy`."""

    type_name = "alone"
    advice = "What outlives every daemon must not depend on what is upgraded around it."

    alone = fields.StringField()
    heavy = fields.SetField(subfield=fields.StringField(), required=False, default=None)

    def breaches(self, graph: ImportGraph) -> Iterable[str]:
        alone, heavy = str(self.alone), self.words("heavy")
        for module in self.ours(graph):
            if not self.within(module, alone):
                continue
            for imported in graph.find_modules_directly_imported_by(module):
                if self.within(imported, alone):
                    continue
                if imported in heavy or imported.split(".")[0] not in sys.stdlib_module_names:
                    yield f"{module} imports {imported}"
