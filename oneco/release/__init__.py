"""How a change spreads: units in order of danger, waves, batches, gates, rollback, works.

Pure: two deciders, one for a release and one for a unit of it. Nothing else in the product writes
a ManifestWork. Not here: what an Application becomes (`delivery`), which clusters there are
(`fleet`), and how a work reaches its cluster (`agent`).
"""
