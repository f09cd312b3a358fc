"""Trait definitions: what changes a component's workload or stands beside it."""
