"""The keeper: one small process that owns every container's process and streams.

It spawns the OCI runtime, is the parent (subreaper) of what that leaves
behind, copies standard output to log files and attached clients, and records
each exit before it announces it. It outlives the daemon, and the daemon holds
what a new keeper needs should this one die: see `journal` and `takeover`.

Not here: images, networks, policy, the API. Imports nothing of ours and the
standard library only, and little of that, for its memory counts on every
machine. This front door is what the daemon's side needs to talk to it; the
process itself begins in `__main__`.
"""

from lading.keeper.build import build
from lading.keeper.wire import Message, receive, send

__all__ = ["Message", "build", "receive", "send"]
