"""Sending on what containers print to log servers.

The keeper writes every log to files, whoever runs; here they are read and sent
from the place that was noted last. Not here: what the servers' protocols look
like (`servers`). Calls aio, the hall, and what reads log files.
"""

from lading.logs.forward.forwarding import Forwarding, ForwardRequest

__all__ = ["ForwardRequest", "Forwarding"]
