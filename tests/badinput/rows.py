"""Wrong files, each with what its one error says: where, what was found, what is accepted."""

from __future__ import annotations

from typing import NamedTuple


class Bad(NamedTuple):
    """One wrong file; `says` are parts of the one line that answers it, in order."""

    title: str
    content: str | bytes
    says: tuple[str, ...]


def _app(spec: str) -> str:
    head = "apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata: {name: shop}\nspec:\n"
    return head + "\n".join(f"  {line}" for line in spec.strip("\n").split("\n")) + "\n"


def _ours(kind: str, spec: str) -> str:
    return (
        f"apiVersion: onepersoncompany.io/v1alpha1\nkind: {kind}\nmetadata: {{name: x}}\n"
        f"spec: {spec}\n"
    )


def _release(properties: str) -> str:
    return _app(
        "components:\n- {name: web, type: webservice, properties: {image: nginx}}\n"
        f"policies:\n- {{name: slowly, type: release, properties: {properties}}}"
    )


_WEB = "{name: web, type: webservice, properties: {image: nginx}}"
_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
_DEEP = 5000

SYNTAX = (
    Bad("a bracket that is never closed", "apiVersion: v1\nkind: [ConfigMap\n", ("bad.yaml:",)),
    Bad("a tab that indents", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: x\n",
        ("bad.yaml:4", "tab")),
    Bad("a key twice", "apiVersion: v1\nkind: ConfigMap\nkind: Secret\nmetadata: {name: x}\n",
        ("bad.yaml:3", "kind")),
    Bad("a key twice, deep inside", _MAP + "data:\n  a: one\n  a: two\n", ("bad.yaml:6", "a")),
    Bad("a quote that is never closed", "apiVersion: \"v1\nkind: ConfigMap\n", ("bad.yaml:",)),
    Bad("an alias of nothing", "apiVersion: v1\nkind: *what\n", ("bad.yaml:2", "what")),
    Bad("aliases that multiply without end",
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n"
            for n in range(8)),
        ("bad.yaml:",)),
    Bad("an alias that contains itself", "a: &a\n  b: *a\n", ("bad.yaml:",)),
    Bad("nesting without end", "a: " + "[" * _DEEP + "]" * _DEEP + "\n", ("bad.yaml:", "deep")),
    Bad("JSON nested without end", '{"a":' * _DEEP + "1" + "}" * _DEEP, ("bad.yaml:", "deep")),
    Bad("JSON that ends too early", '{"apiVersion": "v1", "kind": ', ("bad.yaml:",)),
    Bad("bytes that are not UTF-8", b"apiVersion: v1\nkind: Config\xff\xfeMap\n",
        ("bad.yaml:2", "found", "bytes ff fe", "UTF-8 text")),
    Bad("a document of four mebibytes", _MAP + "data: {a: " + "x" * (4 << 20) + "}\n",
        ("bad.yaml:1", "a document of", "at most 3145728 bytes")),
    Bad("a number that is none", "apiVersion: !!int v1\nkind: ConfigMap\n", ("bad.yaml:1", "v1")),
    Bad("a picture", bytes(range(256)) * 8, ("bad.yaml:",)),
)  # fmt: skip

SHAPES = (
    Bad("only text", "hello\n", ("bad.yaml:1", 'found "hello"', "apiVersion, kind, metadata")),
    Bad("only a list", "- a\n- b\n", ("bad.yaml:1", "wanted an object")),
    Bad("nothing at all", "# a comment\n", ("found", "no objects", "at least one object")),
    Bad("no apiVersion", "kind: ConfigMap\nmetadata: {name: x}\n",
        ("apiVersion", 'found "nothing"', "such as apps/v1")),
    Bad("no kind", "apiVersion: v1\nmetadata: {name: x}\n",
        ("kind", 'found "nothing"', "such as Deployment")),
    Bad("no name", "apiVersion: v1\nkind: ConfigMap\n",
        ("metadata.name", 'found "nothing"', "wanted a name")),
    Bad("a name that is a number", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 7}\n",
        ("bad.yaml:3", "metadata.name", 'found "7"', "text; put it in quotes")),
    Bad("a name in capitals", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Shop_1}\n",
        ("bad.yaml:3", "metadata.name", 'found "Shop_1"', "lower case")),
    Bad("a label that is no text",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, labels: {a: true}}\n",
        ("metadata.labels", 'found "true"', "put it in quotes")),
    Bad("metadata that is text", "apiVersion: v1\nkind: ConfigMap\nmetadata: x\n",
        ("bad.yaml:3", "metadata", 'found "x"', "wanted fields")),
    Bad("one object twice", _MAP + "---\n" + _MAP,
        ("bad.yaml:7", "ConfigMap x again", "bad.yaml:1")),
    Bad("a kind nobody knows", "apiVersion: v1\nkind: ConfigMop\nmetadata: {name: x}\n",
        ("bad.yaml:2", 'found "ConfigMop"', 'did you mean "ConfigMap"?')),
    Bad("an Application of another version",
        "apiVersion: core.oam.dev/v1\nkind: Application\nmetadata: {name: x}\nspec: {}\n",
        ("bad.yaml:1", "apiVersion", 'found "core.oam.dev/v1"', "core.oam.dev/v1beta1")),
    Bad("a Deployment of long ago",
        "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: x}\nspec: {}\n",
        ("bad.yaml:1", 'found "extensions/v1beta1"', "wanted apps/v1")),
    Bad("a kind of ours that does not exist", _ours("Fleat", "{}"),
        ("bad.yaml:2", 'found "Fleat"', 'did you mean "Fleet"?')),
    Bad("a namespace on what has none",
        "apiVersion: cluster.open-cluster-management.io/v1\nkind: ManagedCluster\n"
        "metadata: {name: x, namespace: prod}\n",
        ("bad.yaml:3", "metadata.namespace", 'found "prod"', "belongs to no namespace")),
)  # fmt: skip

APPLICATIONS = (
    Bad("no components", _app("components: []"), ("spec.components", "found", "a component")),
    Bad("components that are a map", _app("components: {web: {}}"),
        ("bad.yaml:5", "spec.components", "wanted a list")),
    Bad("an unknown field of the spec", _app(f"components: [{_WEB}]\npolices: []"),
        ("bad.yaml:6", "spec.polices", 'did you mean "policies"?')),
    Bad("a type that does not exist", _app("components: [{name: web, type: webservise}]"),
        ("spec.components[0].type", 'found "webservise"', 'did you mean "webservice"?')),
    Bad("a version of a type that does not exist",
        _app("components: [{name: web, type: webservice@v9, properties: {image: a}}]"),
        ("spec.components[0].type", "webservice@v9")),
    Bad("a required property missing", _app("components: [{name: web, type: webservice}]"),
        ("spec.components[0].properties.image", 'found "nothing"', "it is required")),
    Bad("a property that does not exist",
        _app("components: [{name: web, type: webservice, properties: {image: a, imagee: b}}]"),
        ("spec.components[0].properties.imagee", 'did you mean "image"?')),
    Bad("a property of the wrong type",
        _app("components: [{name: web, type: webservice, properties: {image: 7}}]"),
        ("properties.image", 'found "7"', "a string; put it in quotes")),
    Bad("a trait that does not exist",
        _app("components:\n- name: web\n  type: webservice\n  properties: {image: a}\n"
             "  traits: [{type: scalr}]"),
        ("bad.yaml:9", "traits[0].type", 'found "scalr"', 'did you mean "scaler"?')),
    Bad("a trait's property of the wrong type",
        _app("components:\n- name: web\n  type: webservice\n  properties: {image: a}\n"
             "  traits: [{type: scaler, properties: {replicas: many}}]"),
        ("bad.yaml:9", "traits[0].properties.replicas", 'found "many"', "an integer")),
    Bad("two components of one name", _app(f"components: [{_WEB}, {_WEB}]"),
        ("spec.components[1].name", 'found "web"', "spec.components[0].name has it already")),
    Bad("a name that is none", _app(f"components: [{_WEB.replace('web,', 'Web Shop,')}]"),
        ("spec.components[0].name", 'found "Web Shop"')),
    Bad("a dependency on what is not there",
        _app("components: [{name: web, type: webservice, properties: {image: a}, "
             "dependsOn: [db]}]"),
        ("dependsOn[0]", 'found "db"')),
    Bad("dependencies in a circle",
        _app("components:\n"
             "- {name: a, type: worker, properties: {image: a}, dependsOn: [b]}\n"
             "- {name: b, type: worker, properties: {image: b}, dependsOn: [a]}"),
        ("dependsOn", "a → b → a")),
    Bad("a component that needs itself",
        _app("components: [{name: a, type: worker, properties: {image: a}, dependsOn: [a]}]"),
        ("dependsOn", "a")),
    Bad("a policy that does not exist", _app(f"components: [{_WEB}]\npolicies: [{{type: topo}}]"),
        ("bad.yaml:6", "spec.policies[0].type", 'found "topo"', "topology")),
    Bad("two policies of one name",
        _app(f"components: [{_WEB}]\npolicies:\n- {{name: a, type: topology}}\n"
             "- {name: a, type: topology}"),
        ("bad.yaml:8", "spec.policies[1].name", 'found "a"')),
    Bad("a step that delivers to what is not there",
        _app(f"components: [{_WEB}]\nworkflow:\n  steps:\n  - name: go\n    type: deploy\n"
             "    properties: {policies: [nowhere]}"),
        ("spec.workflow.steps[0]", "nowhere")),
    Bad("a step of an unknown type",
        _app(f"components: [{_WEB}]\nworkflow: {{steps: [{{name: go, type: deplo}}]}}"),
        ("spec.workflow.steps[0].type", 'found "deplo"', "deploy")),
    Bad("a name longer than a label", _app(f"components: [{_WEB}]").replace("shop", "s" * 60),
        ("metadata.name", "at most 50 letters")),
)  # fmt: skip

RELEASES = (
    Bad("a duration without a unit", _release('{batchSilence: "10"}'),
        ("bad.yaml:8", "properties.batchSilence", 'found "10"', "a bare number has no unit")),
    Bad("a duration that is a number", _release("{waveSilence: 10}"),
        ("properties.waveSilence", 'found "10"')),
    Bad("a duration in words", _release("{waveSilence: soon}"),
        ("properties.waveSilence", 'found "soon"', 'such as "10m"')),
    Bad("a share above everything", _release('{batches: ["150%"]}'),
        ("properties.batches[0]", 'found "150%"', '"10%"')),
    Bad("batches that do not rise", _release('{batches: ["50%", "10%", "100%"]}'),
        ("properties.batches[1]", 'found "10%"', 'more than "50%"')),
    Bad("batches that never end", _release('{batches: ["10%", "50%"]}'),
        ("properties.batches[1]", 'found "50%"', '"100%" as the last batch')),
    Bad("a wave of nothing", _release('{waves: [{name: none, upTo: "0%"}]}'),
        ("properties.waves[0].upTo", 'found "0%"')),
    Bad("an environment misspelt", _release("{waves: [{environments: [stagin]}]}"),
        ("waves[0].environments[0]", 'found "stagin"', 'wanted "staging"')),
    Bad("two waves of one name", _release("{waves: [{name: a}, {name: a}]}"),
        ("properties.waves[1].name", 'found "a"')),
    Bad("a reaction that does not exist", _release("{onFailure: Rolback}"),
        ("properties.onFailure", 'found "Rolback"', "Rollback")),
    Bad("a field of waves that does not exist", _release("{waves: [{upto: 1}]}"),
        ("properties.waves[0].upto", 'did you mean "upTo"?')),
    Bad("a check that may fall", _release("{checks: [{name: e, maxIncrease: -1}]}"),
        ("checks[0].maxIncrease", 'found "-1', "0 or more")),
    Bad("a ReleasePolicy with a wrong duration", _ours("ReleasePolicy", "{waveSilence: 5x}"),
        ("bad.yaml:4", "spec.waveSilence", 'found "5x"')),
    Bad("two release policies in one Application",
        _app(f"components: [{_WEB}]\npolicies:\n- {{name: a, type: release}}\n"
             "- {name: b, type: release}"),
        ("bad.yaml:8", "spec.policies[1]", "release")),
)  # fmt: skip

FLEETS = (
    Bad("a fleet without clusters", _ours("Fleet", "{clusters: []}"),
        ("spec.clusters", "at least one cluster")),
    Bad("a fleet with a field that does not exist",
        _ours("Fleet", "{clusters: [{name: a, nods: 1}]}"),
        ("bad.yaml:4", "spec.clusters[0].nods", 'did you mean "nodes"?')),
    Bad("a cluster without nodes", _ours("Fleet", "{clusters: [{name: a, nodes: 0}]}"),
        ("spec.clusters[0].nodes", 'found "0"', "from 1 to 10000")),
    Bad("two clusters of one name", _ours("Fleet", "{clusters: [{name: a}, {name: a}]}"),
        ("spec.clusters[1].name", 'found "a"')),
    Bad("a fault that does not exist", _ours("Fault", "{type: CrashLop, image: a}"),
        ("spec.type", 'found "CrashLop"', "CrashLoop")),
    Bad("a fault that ends before it begins",
        _ours("Fault", "{type: Unreachable, from: 2h, until: 1h}"),
        ("spec.until", 'found "1h"', "longer than spec.from")),
    Bad("a fault of images without one", _ours("Fault", "{type: CrashLoop}"),
        ("spec.image", 'found "nothing"', "which images")),
    Bad("a share of a fault that is none",
        _ours("Fault", "{type: CrashLoop, image: a, share: half}"),
        ("spec.share", 'found "half"', '"0%" to "100%"')),
    Bad("a rehearsal that leaves its folder", _ours("Rehearsal", "{to: {file: ../../etc/passwd}}"),
        ("spec.to.file", "../../etc/passwd", "inside the rehearsal's own folder")),
    Bad("an action that does not exist", _ours("Rehearsal", "{actions: [{at: 1m, do: stop}]}"),
        ("spec.actions[0].do", 'found "stop"', "pause")),
)  # fmt: skip

BUILT_IN = (
    Bad("replicas in quotes",
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec:\n  replicas: "3"\n',
        ("bad.yaml:5", "spec.replicas", 'found "3"', "a whole number")),
    Bad("a field that a Deployment does not have",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec:\n"
        "  replica: 3\n  selector: {matchLabels: {a: b}}\n  template:\n"
        "    metadata: {labels: {a: b}}\n    spec: {containers: [{name: a, image: b}]}\n",
        ("bad.yaml:5", "spec.replica", 'did you mean "replicas"?')),
    Bad("a selector that chooses other pods",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec:\n"
        "  selector: {matchLabels: {a: b}}\n  template:\n"
        "    metadata: {labels: {a: c}}\n    spec: {containers: [{name: a, image: b}]}\n",
        ("bad.yaml:7", "spec.template.metadata.labels")),
    Bad("a ConfigMap of numbers", _MAP + "data: {a: 1}\n",
        ("bad.yaml:4", "data", "text; put it in quotes")),
    Bad("a port beyond all ports",
        "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 70000}]}\n",
        ("bad.yaml:4", "spec.ports[0].port", 'found "70000"')),
)  # fmt: skip

ALL = (*SYNTAX, *SHAPES, *APPLICATIONS, *RELEASES, *FLEETS, *BUILT_IN)
