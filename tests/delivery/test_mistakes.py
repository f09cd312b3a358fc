"""What a person is told: every mistake at once, each with its path, what was found and wanted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from oneco import definitions
from oneco.delivery.mistakes import Mistakes
from oneco.delivery.rendering import render


def mistakes_of(**spec: object) -> list[str]:
    application = {"metadata": {"name": "shop"}, "spec": spec}
    with pytest.raises(Mistakes) as caught:
        render(application, definitions.builtin())
    return [str(one) for one in caught.value.all]


def of_web(*, traits: Sequence[object] = (), **properties: object) -> list[str]:
    web = {"name": "web", "type": "webservice", "properties": properties, "traits": [*traits]}
    return mistakes_of(components=[web])


def test_all_mistakes_are_told_at_once():
    found = mistakes_of(
        components=[
            {
                "name": "web",
                "type": "webservice",
                "properties": {"ports": [{"port": 80}, {"port": "x"}]},
                "traits": [{"type": "scalar"}, {"type": "scaler", "properties": {"replicas": -1}}],
            },
            {"name": "job", "type": "tusk"},
        ]
    )
    path = "spec.components[0]"
    assert found == [
        f'{path}.properties.image: found "nothing", wanted a string; it is required',
        f'{path}.properties.ports[1].port: found "x", wanted an integer',
        f'{path}.traits[0].type: found "scalar", wanted a known trait: one of annotations, env, '
        'expose, gateway, labels, resource, scaler, storage; did you mean "scaler"?',
        f'{path}.traits[1].properties.replicas: found "-1", wanted an integer of at least 0',
        'spec.components[1].type: found "tusk", wanted a known component: one of k8s-objects, '
        "webservice, worker",
    ]


def test_an_unknown_field_is_told_with_the_one_that_was_meant():
    (said,) = of_web(image="nginx", imagePullPolcy="Always")
    assert said.startswith('spec.components[0].properties.imagePullPolcy: found "imagePullPolcy"')
    assert said.endswith('did you mean "imagePullPolicy"?')


def test_an_unknown_field_of_the_application_itself_is_a_mistake():
    (said,) = mistakes_of(components=[], polices=[])
    assert said.endswith('one of components, policies, workflow; did you mean "policies"?')


def test_text_that_looks_like_a_number_is_asked_for_in_quotes():
    (said,) = of_web(image="nginx", env=[{"name": "PORT", "value": 8080}])
    path = "spec.components[0].properties.env[0].value"
    assert said == f'{path}: found "8080", wanted a string; put it in quotes'


def test_one_of_several_words_is_named():
    (said,) = of_web(image="nginx", imagePullPolicy="always")
    assert said.endswith(
        'found "always", wanted one of Always, IfNotPresent, Never; did you mean "Always"?'
    )


def test_what_a_definition_itself_refuses_has_the_whole_path():
    env = {"type": "env", "properties": {"containerName": "wbe", "env": {"A": "b"}}}
    (said,) = of_web(image="nginx", traits=[env])
    path = "spec.components[0].traits[0].properties.containerName"
    assert said == f'{path}: found "wbe", wanted the name of a container: web'


def test_a_circle_of_dependencies_is_named():
    found = mistakes_of(
        components=[
            {"name": one, "type": "worker", "properties": {"image": "x"}, "dependsOn": [other]}
            for one, other in (("a", "b"), ("b", "c"), ("c", "a"))
        ]
    )
    assert found == [
        'spec.components[0].dependsOn: found "a → b → c → a", '
        "wanted no circle: remove one of these dependencies"
    ]


def test_a_dependency_on_nobody_is_named():
    worker = {"name": "a", "type": "worker", "properties": {"image": "x"}, "dependsOn": ["databse"]}
    database = {**worker, "name": "database", "dependsOn": []}
    (said,) = mistakes_of(components=[worker, database])
    assert said.startswith('spec.components[0].dependsOn[0]: found "databse"')
    assert said.endswith('name of another component: database; did you mean "database"?')


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"batches": ["10%", "120%"]}, 'batches[1]: found "120%", wanted a share such as "10%"'),
        ({"waveSilence": "10"}, 'waveSilence: found "10", wanted a duration such as "10m"; a bare'),
        ({"waves": [{"upto": 3}]}, 'waves[0].upto: found "upto", wanted a field that exists'),
        ({"onFailure": "Retry"}, 'onFailure: found "Retry", wanted one of Block, Rollback'),
    ],
)
def test_a_wrong_release_policy_is_refused(properties, said):
    web = {"name": "web", "type": "webservice", "properties": {"image": "nginx"}}
    policy = {"type": "release", "properties": properties}
    (found,) = mistakes_of(components=[web], policies=[policy])
    assert found.startswith(f"spec.policies[0].properties.{said}")


def test_an_unknown_version_of_a_type_is_refused():
    (said,) = mistakes_of(components=[{"name": "a", "type": "worker@v7"}])
    assert said.endswith(
        'found "worker@v7", wanted a version that exists: worker@v1, or worker alone'
    )


@pytest.mark.parametrize("kind", ["worker@v1", "worker@1.0.0", "worker@v1.0"])
def test_a_known_version_of_a_type_is_accepted(kind):
    worker = {"name": "a", "type": kind, "properties": {"image": "busybox"}}
    application = {"metadata": {"name": "shop"}, "spec": {"components": [worker]}}
    (one,) = render(application, definitions.builtin())
    assert one.manifest["metadata"]["labels"]["workload.oam.dev/type"] == kind.replace("@", "-")
