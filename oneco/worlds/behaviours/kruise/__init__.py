"""What OpenKruise does in a cluster that has it: its three workloads and its webhooks.

Here: CloneSet, Advanced StatefulSet and Advanced DaemonSet as OpenKruise's own controllers keep
them, without kruise-daemon: no image is pulled ahead and no hook of `spec.lifecycle` is waited
for. Not here: what an API server and plain controllers do (`apiserver`, `behaviours`).
"""
