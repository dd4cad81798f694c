"""Lading: a container platform that Docker's clients drive unmodified.

The package is a house of rooms on floors; ARCHITECTURE.md draws it. Calls go
down, results come back, news travels as messages.
"""

__version__ = "0.1.0"
