"""The words of the Open Container Initiative: image and runtime documents.

A toolbox. Source: image-spec 1.1, runtime-spec 1.2. Calls nobody but the hall.
"""
