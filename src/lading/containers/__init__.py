"""Containers: from an image and a wish to a running process and back to nothing.

Here: one file for each deed, the record of a container, the policy of
restarts, and what the API shows. Not here: how images are stored, networks
wired or processes spawned; those are the rooms below, which this one composes.
May call images, network, volumes, runtime, logs, snapshots, state, events and
what lies under them.
"""

from lading.containers.archive import ExtractOptions
from lading.containers.attach import AttachOptions
from lading.containers.commit import CommitOptions
from lading.containers.containers import Containers
from lading.containers.context import Context, Defaults
from lading.containers.exec_record import ExecRecord
from lading.containers.front_execs import Execs
from lading.containers.front_files import ContainerFiles
from lading.containers.front_measures import Measures
from lading.containers.listing import FILTERS
from lading.containers.logs import LogOptions
from lading.containers.prune import PRUNE_FILTERS
from lading.containers.record import Container, Ended, Status
from lading.containers.store import Store

__all__ = [
    "FILTERS",
    "PRUNE_FILTERS",
    "AttachOptions",
    "CommitOptions",
    "Container",
    "ContainerFiles",
    "Containers",
    "Context",
    "Defaults",
    "Ended",
    "ExecRecord",
    "Execs",
    "ExtractOptions",
    "LogOptions",
    "Measures",
    "Status",
    "Store",
]
