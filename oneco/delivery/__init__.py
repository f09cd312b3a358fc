"""Delivery: what an Application becomes, and which clusters get it.

Pure. An Application and the definitions of its types become an ApplicationRevision whose variants
are complete lists of objects; its topologies become Placements; both together become a Release.
How a Release spreads is `release`'s, which clusters a Placement chooses is `fleet`'s, and the
definitions themselves live in `definitions` and are handed in.
"""
