"""What exists: one SQLite database per daemon, the only truth.

Here: opening, migrating and transactions. Not here: any room's SQL; each room
keeps its own in its `store.py` and touches no other room's tables. Calls
nobody but the hall.
"""

from lading.state.database import Database

__all__ = ["Database"]
