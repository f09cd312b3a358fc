"""Kubernetes' language, without any noun of ours.

Here: objects as values, addresses, selectors, schemas, patches, the `Api` protocol and its
errors, and whatever else holds for every user of Kubernetes. Not here: a socket, a disk, the
clock, or a kind that this project invented or adopted (those are in `kinds`).
"""
