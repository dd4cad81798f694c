"""What happened: the engine's news, told to whoever listens.

Here: the bus with its memory of the last messages, a message as the API shows
it, and the API's event filters. Not here: any decision about what is news;
the rooms above publish. Calls nobody but the hall.
"""

from lading.events.bus import Bus, Subscription
from lading.events.match import FILTERS, matches
from lading.events.message import Message

__all__ = ["FILTERS", "Bus", "Message", "Subscription", "matches"]
