"""The Engine API: Docker's paths, statuses, bodies and streams.

A face: a route decodes, calls one room, encodes; it decides nothing. Not
here: HTTP itself, or anything a second face would have to repeat. May call
containers, images, network, volumes, events and what lies under them.
"""

from lading.api.application import application
from lading.api.rooms import Rooms

__all__ = ["Rooms", "application"]
