"""Generated objects of kinds whose lists and maps are of every sort."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from oneco.kube.refs import Resource
from tests.real.differential.steps import NAME

CONFIG_MAPS = Resource("", "v1", "configmaps")
POD_TEMPLATES = Resource("", "v1", "podtemplates")
SERVICES = Resource("", "v1", "services")
DEPLOYMENTS = Resource("apps", "v1", "deployments")

Made = st.SearchStrategy[Any]
few = st.sampled_from
WORDS = few(["a", "b", "c"])


def some(**fields: Made) -> Made:
    """Objects with any of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


def listed(items: Made, key: Any, most: int = 3) -> Made:
    """Lists of items that differ in what `key` gives."""
    return st.lists(items, max_size=most, unique_by=key)


def by(*keys: str) -> Any:
    """What tells items apart: their values at `keys`."""
    return lambda item: tuple(item.get(key) for key in keys)


def keyed(key: str, values: Made = WORDS, /, **more: Made) -> Made:
    """Items that have their key and maybe more."""
    return st.fixed_dictionaries({key: values}, optional=more)


META = some(
    labels=st.dictionaries(WORDS, WORDS, max_size=2),
    annotations=st.dictionaries(WORDS, WORDS, max_size=2),
    finalizers=st.lists(few(["x.io/a", "x.io/b", "x.io/c"]), max_size=2, unique=True),
)
ENV = keyed(
    "name",
    value=WORDS,
)
PORT = keyed(
    "containerPort",
    few([80, 81]),
    protocol=few(["TCP", "UDP"]),
    name=few(["p", "q"]),
    hostPort=few([80, 81]),
)
PROBE = st.fixed_dictionaries(
    {
        "httpGet": st.fixed_dictionaries(
            {"port": few([80, "http"])}, optional={"path": few(["/", "/x"])}
        )
    },
    optional={"periodSeconds": few([1, 2])},
)
RESOURCES = some(
    limits=st.dictionaries(few(["cpu", "memory"]), few(["1", "2", "1000m", 2]), max_size=2),
    requests=st.dictionaries(few(["cpu", "memory"]), few(["1", "500m"]), max_size=2),
)
CONTAINER = keyed(
    "name",
    image=few(["i:1", "i:2"]),
    args=st.lists(WORDS, max_size=2),
    env=listed(ENV, by("name")),
    ports=listed(PORT, by("containerPort", "protocol"), 2),
    readinessProbe=PROBE,
    resources=RESOURCES,
    securityContext=some(runAsUser=few([1, 2]), capabilities=some(add=st.lists(WORDS, max_size=2))),
    volumeMounts=listed(
        st.fixed_dictionaries({"name": st.just("a"), "mountPath": few(["/a", "/b"])}),
        by("mountPath"),
        2,
    ),
).map(lambda one: {"image": "i:1", **one})
VOLUME = st.one_of(
    st.fixed_dictionaries({"name": WORDS, "emptyDir": some(medium=few(["Memory"]))}),
    st.fixed_dictionaries({"name": WORDS, "configMap": keyed("name")}),
)
_VOLUME = {"name": "a", "emptyDir": {}}
POD_SPEC = some(
    containers=st.lists(CONTAINER, min_size=1, max_size=3, unique_by=by("name")),
    initContainers=listed(CONTAINER, by("name"), 1),
    volumes=listed(VOLUME, by("name"), 2).map(
        lambda them: them if any(one["name"] == "a" for one in them) else [*them, _VOLUME]
    ),
    nodeSelector=st.dictionaries(WORDS, WORDS, max_size=2),
    tolerations=st.lists(keyed("operator", st.just("Exists"), key=WORDS), max_size=2),
    hostAliases=listed(
        st.fixed_dictionaries(
            {"ip": few(["1.1.1.1", "2.2.2.2"])}, optional={"hostnames": st.lists(WORDS, max_size=2)}
        ),
        by("ip"),
        2,
    ),
    imagePullSecrets=listed(keyed("name"), by("name"), 2),
    topologySpreadConstraints=listed(
        st.fixed_dictionaries(
            {
                "topologyKey": few(["k", "l"]),
                "whenUnsatisfiable": few(["DoNotSchedule", "ScheduleAnyway"]),
                "maxSkew": few([1, 2]),
            }
        ),
        by("topologyKey", "whenUnsatisfiable"),
        2,
    ),
    terminationGracePeriodSeconds=few([1, 30]),
    securityContext=some(
        runAsUser=few([1, 2]), supplementalGroups=st.lists(few([1, 2]), max_size=2)
    ),
    affinity=some(
        nodeAffinity=some(
            requiredDuringSchedulingIgnoredDuringExecution=st.just(
                {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}
            )
        )
    ),
    hostNetwork=st.booleans(),
    dnsPolicy=few(["Default", "ClusterFirst"]),
).map(lambda spec: {"containers": [{"name": "a", "image": "i:1"}], "volumes": [_VOLUME], **spec})


def whole(api_version: str, kind: str, meta: Made, **parts: Made) -> Made:
    """Objects that say what they are; every part may be missing."""
    return st.fixed_dictionaries(
        {
            "apiVersion": st.just(api_version),
            "kind": st.just(kind),
            "metadata": meta.map(lambda meta: {"name": NAME, **meta}),
        },
        optional=parts,
    )


CONFIG_MAP = whole("v1", "ConfigMap", META, data=st.dictionaries(WORDS, WORDS, max_size=3))
POD_TEMPLATE = whole("v1", "PodTemplate", META, template=some(metadata=META, spec=POD_SPEC))
SERVICE_PORT = st.fixed_dictionaries(
    {"port": few([80, 81])},
    optional={
        "protocol": few(["TCP", "UDP"]),
        "name": few(["p", "q"]),
        "targetPort": few([80, "http"]),
    },
)
SERVICE = whole(
    "v1",
    "Service",
    META,
    spec=some(
        ports=listed(SERVICE_PORT, by("port", "protocol"), 2),
        selector=st.dictionaries(WORDS, WORDS, max_size=2),
        externalIPs=st.lists(few(["1.1.1.1", "2.2.2.2"]), max_size=2, unique=True),
        sessionAffinity=few(["None", "ClientIP"]),
    ).map(lambda spec: {"type": "ExternalName", "externalName": "x.example", **spec}),
)
DEPLOYMENT = whole(
    "apps/v1",
    "Deployment",
    META,
    spec=some(
        replicas=few([1, 2]),
        paused=st.booleans(),
        strategy=st.one_of(
            st.just({"type": "Recreate"}),
            some(type=few(["RollingUpdate"]), rollingUpdate=some(maxSurge=few([1, "25%", "10%"]))),
        ),
        minReadySeconds=few([0, 5]),
        template=some(spec=POD_SPEC),
    ).map(
        lambda spec: {
            **spec,
            "selector": {"matchLabels": {"app": "a"}},
            "template": {"metadata": {"labels": {"app": "a"}}, **spec.get("template", {})},
        }
    ),
)
OBJECTS = {
    CONFIG_MAPS: CONFIG_MAP,
    POD_TEMPLATES: POD_TEMPLATE,
    SERVICES: SERVICE,
    DEPLOYMENTS: DEPLOYMENT,
}
