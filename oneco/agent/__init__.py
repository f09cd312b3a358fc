"""One cluster's agent: the works meant for it become objects in it, and what it sees is told.

Pure. It is given two clusters, the hub and the member, and does not know where it runs. It deletes
only what a work says, never because a work is absent.
"""
