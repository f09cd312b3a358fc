"""Clusters and placements: who belongs to the fleet, who can be reached, who is chosen.

Deciders over ManagedClusters, Placements and the certificate requests of agents. What is
delivered to a cluster is not known here (`delivery`, `release`), nor how anything is carried out
(`control`). Foreign things are asked for through `ports`.
"""
