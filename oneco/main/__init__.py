"""Composition only: picks the answers to `Api`, a clock, the plugins; makes processes of them."""
