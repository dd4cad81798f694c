"""Processes of containers: started by the OCI runtime, held by the keeper, used from here.

Also here: `spec`, which builds the OCI runtime's configuration. Not here: what
a container is (containers), its root (snapshots), its network, what its log
holds (logs). Calls keeper (its words only), linux, aio, paths and errors.
"""

from lading.runtime.cdi import SPEC_DIRECTORIES, cdi_devices, cdi_edits
from lading.runtime.detach_keys import detach_sequence
from lading.runtime.errors import LaunchError, LaunchInterrupted
from lading.runtime.identity import look_up_user
from lading.runtime.left import left_record
from lading.runtime.machine import block_devices_of, devices_of, host_facts
from lading.runtime.oci import OciRuntime
from lading.runtime.probe import FilterPassing
from lading.runtime.runtime import Runtime
from lading.runtime.words import Attach, Detached, Exec, Exit, Launch, Process, Started

__all__ = [
    "SPEC_DIRECTORIES",
    "Attach",
    "Detached",
    "Exec",
    "Exit",
    "FilterPassing",
    "Launch",
    "LaunchError",
    "LaunchInterrupted",
    "OciRuntime",
    "Process",
    "Runtime",
    "Started",
    "block_devices_of",
    "cdi_devices",
    "cdi_edits",
    "detach_sequence",
    "devices_of",
    "host_facts",
    "left_record",
    "look_up_user",
]
