"""Side-by-side measurements of the engine and a peer, on one machine, in turn.

`bench/run` is the one command: the same measures (`measures`) against each engine
(`engines`), started fresh in namespaces of its own (`enclosure`), in the order
A B A B. `report` turns samples into ratios and into RESULTS.md. Here is no
claim about the engine that is not measured beside its peer.

Imports nothing of `lading`: an engine is a socket and processes.
"""
