"""From Docker's configuration of a container to the OCI runtime's. Pure, all of it.

Here: config.json, the process object of an exec, docker's checks on what a
client asks for. Not here: reading the machine or the container's files; what
depends on them comes in as plain values. Calls the hall and `schema`.
"""

from lading.runtime.spec import seccomp
from lading.runtime.spec.build import build
from lading.runtime.spec.capabilities import from_mask as capabilities_from_mask
from lading.runtime.spec.capabilities import granted, normalize
from lading.runtime.spec.environment import environment
from lading.runtime.spec.limits import settle_limits
from lading.runtime.spec.live import limit_files
from lading.runtime.spec.paths import MASKED, READ_ONLY
from lading.runtime.spec.process import exec_process
from lading.runtime.spec.request import FEATURES, DeviceNode, HostFacts, Namespaces, SpecRequest, User
from lading.runtime.spec.security import BUILTIN, UNCONFINED, SecurityOptions, parse_security_options
from lading.runtime.spec.user import find_user
from lading.runtime.spec.validate import validate

__all__ = [
    "BUILTIN",
    "FEATURES",
    "MASKED",
    "READ_ONLY",
    "UNCONFINED",
    "DeviceNode",
    "HostFacts",
    "Namespaces",
    "SecurityOptions",
    "SpecRequest",
    "User",
    "build",
    "capabilities_from_mask",
    "environment",
    "exec_process",
    "find_user",
    "granted",
    "limit_files",
    "normalize",
    "parse_security_options",
    "seccomp",
    "settle_limits",
    "validate",
]
