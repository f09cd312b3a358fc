"""A Kubernetes API server in this process: `apiserver` over SQLite and HTTPS, with its own CA.

Here: the store on disk, certificates, who may do what, the REST API as an ASGI app, and the
server that joins them. Not here: what a request means (`apiserver`), what a cluster does by
itself (`behaviours`).
"""
