"""Rule 2: from outside a room only its `__init__` is imported."""

import ast
from collections.abc import Iterable

from grimp import ImportGraph
from importlinter import fields
from tests.architecture.contracts.breaches import BreachContract, source


class FrontDoorsContract(BreachContract):
    """`toolboxes` are rooms whose modules are each a door; `doors` are further doors, by full name."""

    type_name = "front_doors"
    advice = "Import the room itself; what others need, its __init__ re-exports."

    toolboxes = fields.SetField(subfield=fields.StringField())
    doors = fields.SetField(subfield=fields.StringField(), required=False, default=None)

    def breaches(self, graph: ImportGraph) -> Iterable[str]:
        toolboxes, doors = self.words("toolboxes"), self.words("doors")
        for importer in self.ours(graph):
            open_rooms = toolboxes | {self.room(importer)}
            for imported in graph.find_modules_directly_imported_by(importer):
                inner = imported.count(".") > 1 and self.within(imported, self.root)
                if not inner or self.room(imported) in open_rooms or imported in doors:
                    continue
                if not self._by_the_door(graph, importer, imported):
                    yield f"{importer} walks past the front door into {imported}"

    def _by_the_door(self, graph: ImportGraph, importer: str, imported: str) -> bool:
        """Whether what looks like a module is a name its door re-exports.

        `from lading.keeper import build` means the function, though `build.py` is there too,
        and the graph says it is the module.
        """
        parent, _, name = imported.rpartition(".")
        if not (parent.count(".") == 1 or parent in self.words("doors")) or name not in _exported(parent):
            return False
        lines = graph.get_import_details(importer=importer, imported=imported)
        return all(line["line_contents"].startswith(f"from {parent} import ") for line in lines)


def _exported(module: str) -> set[str]:
    """The names in a module's `__all__`, read without importing it."""
    for node in ast.parse(source(module).read_text()).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            return set(ast.literal_eval(node.value))
    return set()
