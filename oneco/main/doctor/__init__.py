"""`oneco doctor`: what is wrong with a hub or an agent, and the command that mends each of it.

Looking and judging are apart. `look_*` modules gather facts (disk, database, port, certificates,
the fleet through the API) and never fail because of what they find; `checks_*` modules are pure
functions from facts to findings. A new check is one function in the `CHECKS` of its module; only
what needs a new fact touches `facts` and a `look_*`.
"""
