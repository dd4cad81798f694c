"""The resolver: one small process that answers names inside the containers' network namespaces.

It listens on 127.0.0.11 in each container that is on a user-defined network,
knows the names of that container's networks only, and forwards the rest. It
outlives the daemon, which tells it who is called what and starts another
should it die; it keeps nothing on the disk, for the daemon's database has it all.

Not here: which names a container has (`network`), and the files that lead
programs here. Imports nothing of ours and the standard library only. This front
door is what the daemon's side needs; the process itself begins in `__main__`.
"""

from lading.dns.build import build

__all__ = ["build"]
