"""ladingd: settings, wiring, listening, stopping.

Here: reading flags and the configuration file, making the rooms, the sockets,
signals, systemd. Not here: anything a client can ask for. May call every room
of the server wing; nobody calls this one.
"""

from lading.daemon.main import main

__all__ = ["main"]
