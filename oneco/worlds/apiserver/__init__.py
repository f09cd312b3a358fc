"""The semantics of a Kubernetes API server over a `Store`: synchronous, without a socket."""
