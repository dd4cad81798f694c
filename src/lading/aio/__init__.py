"""What asyncio lacks: child processes by pidfd, background tasks that cannot get lost.

A toolbox of the ground floor: every module here is a door of its own. Calls
nobody but the hall.
"""
