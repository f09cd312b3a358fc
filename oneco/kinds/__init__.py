"""All typed objects of the product: parsing, defaults, validity.

Kubernetes' own kinds stay plain objects (`kube`). Kinds that exist elsewhere keep their group,
names and fields: Applications as KubeVela writes them (`oam`), clusters, placements and works
as Open Cluster Management does (`ocm`). Only what nobody has is ours (`release`, `fleet`).
CRDs are generated from here; nothing here decides what should happen.
"""
