"""What asyncio lacks: children by pidfd, tasks that cannot get lost, streams from and to threads.

A toolbox of the ground floor: every module here is a door of its own. Calls
nobody but the hall.
"""
