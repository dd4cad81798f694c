"""The words on the wire: bodies of the Engine API, as typed values.

A toolbox: one module for each of Docker's nouns. Field names on the wire are
Docker's; source is the API definition 1.51. Calls nobody but the hall.
"""
