"""What a cluster does by itself: its controllers, its scheduler and its kubelets.

Here: synchronous functions fired by commits to a store, one module for each controller, and the
faults that can befall them. Nothing here waits or sleeps: time comes from an `Agenda` that any
number of clusters share. Not here: what an API server does with a request (`apiserver`).
"""

from oneco.worlds.behaviours.engine import Behaviours
from oneco.worlds.behaviours.timers import Agenda

__all__ = ["Agenda", "Behaviours"]
