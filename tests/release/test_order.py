"""Who goes first, and in which wave."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oneco.kinds.release import LabelSelector, PolicySpec, WavePolicy
from oneco.release import order
from oneco.release.order import Candidate


def a_cluster(name: str, environment: str = "production", nodes: int = 3, **labels: str):
    return Candidate(name, "variant", environment, nodes, tuple(sorted(labels.items())))


def names(waves):
    return [(wave.name, [one.cluster for one in wave.units]) for wave in waves]


def test_the_environment_comes_first_then_the_size_then_the_name():
    found = order.order(
        [
            a_cluster("b", "production", 3),
            a_cluster("a", "production", 3),
            a_cluster("small", "production", 1),
            a_cluster("huge", "test", 900),
            a_cluster("c", "canary", 5),
        ]
    )
    assert [one.cluster for one in found] == ["huge", "c", "small", "a", "b"]


def test_an_environment_of_ones_own_stands_just_before_production():
    found = order.order([a_cluster("p"), a_cluster("own", "vip"), a_cluster("s", "small-traffic")])
    assert [one.cluster for one in found] == ["s", "own", "p"]


def test_a_cluster_that_nobody_classified_counts_as_production():
    bare = {"metadata": {"name": "bare"}}
    assert order.candidate(bare, "v").environment == "production"


def test_the_size_is_what_the_cluster_claims():
    claims = [{"name": "nodes.onepersoncompany.io", "value": "17"}]
    cluster = {"metadata": {"name": "big"}, "status": {"clusterClaims": claims}}
    assert order.candidate(cluster, "v").nodes == 17


def test_without_a_policy_there_is_one_wave():
    clusters = [a_cluster("p"), a_cluster("t", "test")]
    assert names(order.waves(None, clusters)) == [("all", ["t", "p"])]


def test_a_policy_without_waves_gets_one_for_each_environment():
    clusters = [a_cluster("p"), a_cluster("t", "test"), a_cluster("q")]
    assert names(order.waves(PolicySpec(), clusters)) == [
        ("test", ["t"]),
        ("production", ["p", "q"]),
    ]


def test_a_wave_takes_its_share_of_what_it_chooses_and_the_next_the_rest():
    clusters = [a_cluster(f"p{number}") for number in range(1, 8)]
    policy = PolicySpec(
        waves=(
            WavePolicy(name="one", environments=("production",), up_to=1),
            WavePolicy(name="third", environments=("production",), up_to="30%"),
            WavePolicy(name="all", environments=("production",)),
        )
    )
    assert names(order.waves(policy, clusters)) == [
        ("one", ["p1"]),
        ("third", ["p2", "p3"]),
        ("all", ["p4", "p5", "p6", "p7"]),
    ]


def test_what_no_named_wave_takes_goes_last_in_a_wave_of_its_own():
    clusters = [a_cluster("p"), a_cluster("t", "test"), a_cluster("c", "canary")]
    policy = PolicySpec(waves=(WavePolicy(name="production", environments=("production",)),))
    assert names(order.waves(policy, clusters)) == [("production", ["p"]), ("rest", ["t", "c"])]


def test_a_wave_may_choose_by_label():
    clusters = [a_cluster("a", region="eu"), a_cluster("b", region="us"), a_cluster("c")]
    here = LabelSelector(match_labels={"region": "us"})
    policy = PolicySpec(waves=(WavePolicy(name="us", cluster_selector=here),))
    assert names(order.waves(policy, clusters)) == [("us", ["b"]), ("rest", ["a", "c"])]


def test_a_wave_without_anybody_is_left_out_and_the_others_keep_their_names():
    policy = PolicySpec(waves=(WavePolicy(environments=("test",)), WavePolicy()))
    assert names(order.waves(policy, [a_cluster("p")])) == [("wave-2", ["p"])]


CLUSTERS = st.lists(
    st.builds(
        a_cluster,
        st.text("abc", min_size=1, max_size=4),
        st.sampled_from(["test", "canary", "vip", "production"]),
        st.integers(0, 9),
    ),
    max_size=12,
    unique_by=lambda one: one.cluster,
)
WAVES = st.lists(
    st.builds(
        WavePolicy,
        environments=st.lists(st.sampled_from(["test", "canary", "production"]), max_size=2).map(
            tuple
        ),
        up_to=st.one_of(st.integers(1, 5), st.integers(1, 100).map("{}%".format)),
    ),
    max_size=4,
).map(tuple)


@given(CLUSTERS, st.one_of(st.none(), st.builds(PolicySpec, waves=WAVES)))
def test_every_cluster_is_in_exactly_one_wave_and_in_order_there(clusters, policy):
    waves = order.waves(policy, clusters)
    assert sorted(one for wave in waves for one in wave.units) == sorted(clusters)
    assert all(wave.units == order.order(wave.units) and wave.units for wave in waves)


@given(CLUSTERS, st.builds(PolicySpec, waves=WAVES), st.randoms())
def test_the_plan_does_not_depend_on_the_order_in_which_clusters_are_seen(clusters, policy, random):
    shuffled = list(clusters)
    random.shuffle(shuffled)
    assert order.waves(policy, shuffled) == order.waves(policy, clusters)
