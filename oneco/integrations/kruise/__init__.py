"""OpenKruise's workloads: how each of them lets only some of its pods run a new template."""
