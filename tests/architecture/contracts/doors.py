"""Rule 2: from outside a room only its `__init__` is imported."""

from collections.abc import Iterable

from grimp import ImportGraph
from importlinter import fields
from tests.architecture.contracts.breaches import BreachContract


class FrontDoorsContract(BreachContract):
    """`toolboxes` are rooms whose modules are each a door; `doors` are further doors, by full name."""

    type_name = "front_doors"
    advice = "Import the room itself; what others need, its __init__ re-exports."

    toolboxes = fields.SetField(subfield=fields.StringField())
    doors = fields.SetField(subfield=fields.StringField(), required=False, default=None)

    def breaches(self, graph: ImportGraph) -> Iterable[str]:
        toolboxes, doors = self.words("toolboxes"), self.words("doors")
        for importer in self.ours(graph):
            for imported in graph.find_modules_directly_imported_by(importer):
                inner = imported.count(".") > 1 and self.within(imported, self.root)
                if not inner or self.room(imported) in toolboxes | {self.room(importer)} or imported in doors:
                    continue
                yield f"{importer} walks past the front door into {imported}"
