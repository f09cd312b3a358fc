"""Clusters in memory under a virtual clock: no HTTP, and faults as data."""
