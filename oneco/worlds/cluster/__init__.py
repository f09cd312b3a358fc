"""The answer to `kube.api.Api` for a real API server, over HTTPS.

Here: kubeconfig files (`kubeconfig`, `entries`), what they lead to (`target`), proving who we are
(`credentials`, `exec_plugin`, `tls`), HTTP (`connection`, `paths`, `lines`), bodies (`wire`), and
the verbs (`client`, `watching`, `discovery`). Not here: retries, caches and resuming a watch;
they are the caller's. Nothing is imported by the package itself, because aiohttp costs a quarter
of a second: `main` imports `client` when it needs it.
"""
