"""What a check rests on: without it, having found nothing would say nothing."""

from __future__ import annotations

from oneco.main.doctor.facts import Facts


def directory(facts: Facts) -> bool:
    """A directory was looked at."""
    return facts.data is not None


def disk(facts: Facts) -> bool:
    """There are data, on a disk."""
    return facts.disk is not None


def writable(facts: Facts) -> bool:
    """Something could be written to the disk."""
    return facts.disk is not None and not facts.disk.write_error


def private_files(facts: Facts) -> bool:
    """There are files that only their owner may read."""
    return facts.disk is not None and bool(facts.disk.private)


def hub_directory(facts: Facts) -> bool:
    """A hub's data, which a process may hold."""
    return facts.holder is not None and not facts.is_agent


def agent_directory(facts: Facts) -> bool:
    """An agent's data."""
    return facts.agent is not None


def keys(facts: Facts) -> bool:
    """There are keys, or should be."""
    return facts.keys is not None


def readable_keys(facts: Facts) -> bool:
    """There are keys that can be read."""
    return facts.keys is not None and not facts.keys.error


def store(facts: Facts) -> bool:
    """There is a database."""
    return facts.store is not None


def readable_store(facts: Facts) -> bool:
    """There is a database that can be read."""
    return facts.store is not None and not facts.store.error


def keys_and_store(facts: Facts) -> bool:
    """There are keys and what they seal, and both can be read."""
    return readable_keys(facts) and readable_store(facts)


def certificates(facts: Facts) -> bool:
    """There are certificates on this disk."""
    return bool(facts.certificates)


def readable_certificates(facts: Facts) -> bool:
    """There are certificates that can be read."""
    return any(not one.error for one in facts.certificates)


def port(facts: Facts) -> bool:
    """The hub has listened somewhere."""
    return facts.port is not None


def asked_hub(facts: Facts) -> bool:
    """A hub was asked, whatever came of it."""
    return facts.fleet is not None


def fleet(facts: Facts) -> bool:
    """A hub has told of its fleet; an agent may not ask for that."""
    return facts.fleet is not None and not facts.fleet.error and not facts.is_agent


def hub_elsewhere(facts: Facts) -> bool:
    """A hub that is none of this machine has told of itself."""
    return fleet(facts) and facts.data is None


def clusters(facts: Facts) -> bool:
    """The hub knows clusters."""
    return fleet(facts) and facts.fleet is not None and bool(facts.fleet.clusters)


def agents(facts: Facts) -> bool:
    """An agent has said which it is."""
    return facts.fleet is not None and any(one.agent_version for one in facts.fleet.clusters)


def agents_certificates(facts: Facts) -> bool:
    """The hub has certified agents."""
    return facts.fleet is not None and any(one.certificate for one in facts.fleet.clusters)


def reached_members(facts: Facts) -> bool:
    """The hub reaches members itself."""
    return facts.fleet is not None and bool(facts.fleet.reached)
