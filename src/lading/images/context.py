"""What the deeds of this room work with; made once, in the daemon's wiring."""

from collections.abc import Callable
from dataclasses import dataclass

from lading.content import Content
from lading.images.admit import Admission
from lading.images.catalog import Catalog
from lading.images.store import ImageStore
from lading.snapshots import Snapshots
from lading.state import Database

# kind, action, ID, attributes; as `events.Bus.publish`.
Publish = Callable[[str, str, str, dict[str, str]], object]


@dataclass(frozen=True, slots=True)
class Context:
    """The rooms below, and the images known."""

    content: Content
    snapshots: Snapshots
    store: ImageStore
    catalog: Catalog
    admission: Admission
    publish: Publish

    def announce(self, action: str, image_id: str, name: str) -> None:
        """Tells the event bus what happened to an image."""
        image = self.catalog.get(image_id)
        labels = image.labels if image is not None else {}
        self.publish("image", action, image_id, {**labels, "name": name})


def make_context(
    data_root: str, database: Database, content: Content, snapshots: Snapshots, publish: Publish
) -> Context:
    """Nothing is opened yet."""
    store = ImageStore(database)
    catalog = Catalog(store, content)
    admission = Admission(data_root, store, catalog, content, snapshots)
    return Context(content, snapshots, store, catalog, admission, publish)
