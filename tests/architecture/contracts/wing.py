"""Rule 3: the client wing never reaches the server's inside, not even through a third room."""

from collections.abc import Iterable

from grimp import ImportGraph
from importlinter import fields
from tests.architecture.contracts.breaches import BreachContract


class WingContract(BreachContract):
    """`rooms` may reach each other and what is `shared`. A room named in neither is out of reach."""

    type_name = "wing"
    advice = "A command line can do what the API can do: ask the engine through `client`."

    rooms = fields.SetField(subfield=fields.StringField())
    shared = fields.SetField(subfield=fields.StringField())

    def breaches(self, graph: ImportGraph) -> Iterable[str]:
        wing = self.words("rooms")
        allowed = wing | self.words("shared") | {""}
        for importer in self.ours(graph):
            if self.room(importer) not in wing:
                continue
            for reached in graph.find_upstream_modules(importer):
                if self.within(reached, self.root) and self.room(reached) not in allowed:
                    chain = graph.find_shortest_chain(importer, reached) or (importer, reached)
                    yield f"{importer} reaches the server wing: {' → '.join(chain)}"
