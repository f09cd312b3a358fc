"""The answers to `kube.api.Api`, and the clocks.

Here: `apiserver` (the whole API semantics over a store, synchronous), `behaviours` (what a
cluster's own controllers do), `sim` (both in memory, with faults), `embedded` (both over SQLite
and HTTPS), `cluster` (a real API server), `webhook` (what a real one asks us), `clocks`. Only
`main` chooses among them.
"""
