"""System calls and kernel interfaces the standard library does not reach.

A toolbox of the ground floor: every module here is a door of its own. Each
wraps one kernel interface and decides nothing. Calls nobody but the hall.
"""
