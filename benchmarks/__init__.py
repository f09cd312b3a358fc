"""What the product costs: each module measures one thing, `python -m benchmarks` all of them.

A module has a `measure(...)` that answers Figures; `catalogue` names them and how large they are
run. Every benchmark runs in a process of its own, so that its peak of memory is its own.
"""
