"""The kustomize base fits the program: its options, paths, rights and times."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import yaml

import exabgp_k8s
from exabgp_k8s.adapters import metrics
from exabgp_k8s.adapters.kube import pods, ranges, reflector
from exabgp_k8s.agent import endpoints
from exabgp_k8s.agent import variables as names
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.core.facts import config
from exabgp_k8s.settings import load
from exabgp_k8s.supervisor import alive, exabgp, supervisor, watchdog
from exabgp_k8s.wire import bgpspeaker, kube_events, leases, pod_ranges, servers
from tests.architecture import repository

ANSWER = 5
"""Seconds that ``drain --wait`` waits for its answer beyond its timeout."""


@pytest.fixture
def pod() -> dict[str, Any]:
    """The pod's spec."""
    spec: dict[str, Any] = repository.manifest("daemonset.yaml")["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(pod: dict[str, Any]) -> dict[str, Any]:
    """The only container."""
    (only,) = pod["containers"]
    return cast("dict[str, Any]", only)


@pytest.fixture
def variables(container: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The container's environment by name."""
    return {each["name"]: each for each in container["env"]}


@pytest.fixture
def settings() -> config.Config:
    """The example settings, as the core uses them."""
    return load.parse(repository.read("daemonset/settings.yaml"), "settings.yaml")


def seconds(container: dict[str, Any], probe: str) -> int:
    """Return after how long a failing probe has an effect."""
    found = container[probe]
    return int(found["periodSeconds"] * found["failureThreshold"])


def test_the_example_settings_are_valid(settings: config.Config) -> None:
    assert settings.peers


def test_the_example_settings_mean_every_node(settings: config.Config) -> None:
    """Most clusters lack whatever label an example could ask for."""
    assert not [each for each in settings.peers if each.selector != config.Selector()]


def test_a_rollout_with_the_examples_of_settings_and_router_moves_no_route(
    settings: config.Config,
) -> None:
    assert {each.graceful_restart for each in settings.peers} == {60}
    assert "\n  graceful restart aware;\n" in repository.read("docs/router/bird.conf.example")
    assert "\n neighbor NODES graceful-restart-helper\n" in repository.read(
        "docs/router/frr.conf.example"
    )


def test_the_generated_config_map_is_the_one_that_is_mounted(
    pod: dict[str, Any], container: dict[str, Any], variables: dict[str, dict[str, Any]]
) -> None:
    (generated,) = repository.manifest("kustomization.yaml")["configMapGenerator"]
    volumes = {each["name"]: each for each in pod["volumes"]}
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}

    assert volumes["settings"]["configMap"]["name"] == generated["name"]
    (file,) = generated["files"]
    assert variables[names.SETTINGS]["value"] == f"{mounts['settings']}/{file}"


def test_an_edit_of_the_config_map_keeps_its_name() -> None:
    """A name with a hash in it would restart every pod for every edit."""
    (generated,) = repository.manifest("kustomization.yaml")["configMapGenerator"]

    assert generated["options"]["disableNameSuffixHash"] is True


def test_no_volume_is_mounted_by_sub_path(container: dict[str, Any]) -> None:
    """A file that is mounted by subPath is never updated by kubelet."""
    assert not [each for each in container["volumeMounts"] if "subPath" in each]


def test_what_is_mounted_is_where_the_program_looks_for_it(container: dict[str, Any]) -> None:
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}

    assert mounts["passwords"] == names.DEFAULT_PASSWORD_DIR
    assert mounts["state"] == names.DEFAULT_STATE_DIR


def test_the_state_directory_is_one_that_the_program_makes_for_itself(
    container: dict[str, Any], variables: dict[str, dict[str, Any]]
) -> None:
    """Kubelet lets everybody in the container write to the volume, and that is refused."""
    (mounted,) = (
        each["mountPath"] for each in container["volumeMounts"] if each["name"] == "state"
    )
    assert str(Path(variables[names.STATE_DIR]["value"]).parent) == mounted


def test_the_secret_is_optional_and_readable_by_the_group(pod: dict[str, Any]) -> None:
    (secret,) = (each["secret"] for each in pod["volumes"] if "secret" in each)

    assert secret["optional"] is True
    assert secret["defaultMode"] == 0o440
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]


def test_the_example_secret_has_the_name_that_is_mounted(pod: dict[str, Any]) -> None:
    (secret,) = (each["secret"] for each in pod["volumes"] if "secret" in each)

    assert repository.manifest("secret.example.yaml")["metadata"]["name"] == secret["secretName"]


def test_every_variable_is_one_that_the_program_reads(
    variables: dict[str, dict[str, Any]],
) -> None:
    read = {
        names.SETTINGS,
        names.PASSWORD_DIR,
        names.STATE_DIR,
        names.HTTP,
        names.KUBECONFIG,
        names.NODE,
        names.POD,
        names.NAMESPACE,
    }

    # HOST_IP is only put into another one.
    assert set(variables) - {"HOST_IP"} <= read
    assert variables[names.NODE]["valueFrom"]["fieldRef"]["fieldPath"] == "spec.nodeName"
    assert variables[names.POD]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    namespace = variables[names.NAMESPACE]["valueFrom"]["fieldRef"]["fieldPath"]
    assert namespace == "metadata.namespace"


@pytest.mark.parametrize("address", ["192.0.2.11", "2001:db8::11"])
def test_http_is_served_at_the_nodes_address_of_either_family(
    address: str, container: dict[str, Any], variables: dict[str, dict[str, Any]]
) -> None:
    value = variables[names.HTTP]["value"].replace("$(HOST_IP)", address)
    (port,) = container["ports"]

    assert names.split_address(value) == (address, port["containerPort"])


def test_readiness_asks_for_a_path_that_is_served(container: dict[str, Any]) -> None:
    served = endpoints.readable(cast("Latest", None), cast("metrics.Metrics", None))
    asked = container["readinessProbe"]["httpGet"]

    assert ("GET", asked["path"]) in served
    assert asked["port"] == container["ports"][0]["name"]


@pytest.mark.fault(
    area="our processes",
    what="another program of the node holds the agent's TCP port",
    sees="nothing: kubelet asks over the unix socket and restarts nothing",
    within="0 s",
)
@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe"])
def test_liveness_does_not_depend_on_a_port(probe: str, container: dict[str, Any]) -> None:
    interpreter, *arguments, module = container[probe]["exec"]["command"]

    assert (interpreter, arguments, module) == ("python", ["-I", "-m"], alive.__name__)
    assert container[probe]["timeoutSeconds"] > alive.LIMIT
    assert (names.STATE_DIR, names.DEFAULT_STATE_DIR) == (alive.STATE_DIR, alive.DEFAULT_STATE_DIR)


def test_kubelet_restarts_later_than_the_supervisor(container: dict[str, Any]) -> None:
    """The watchdog kills the agent, then ExaBGP too; then it waits for its start."""
    limits = (watchdog.SILENCE_LIMIT, watchdog.SUCCESSOR_LIMIT, watchdog.START_LIMIT)
    longest = sum(limits) + exabgp.RESTART_FIRST

    assert seconds(container, "livenessProbe") > longest
    assert seconds(container, "startupProbe") > watchdog.START_LIMIT


def test_a_stop_fits_into_the_grace_period(
    monkeypatch: pytest.MonkeyPatch, pod: dict[str, Any], container: dict[str, Any]
) -> None:
    monkeypatch.setenv(names.NODE, "node-1")
    drain = repository.parse(container["lifecycle"]["preStop"]["exec"]["command"][1:])
    run = repository.parse(container["args"])
    longest = (
        drain.params["timeout"] + ANSWER + run.params["stop_timeout"] + 2 * supervisor.STOP_LIMIT
    )

    assert drain.params["wait"]
    assert drain.params["stopping"]
    assert longest < pod["terminationGracePeriodSeconds"]


def test_a_drain_fits_into_the_time_that_pre_stop_gives_it(
    container: dict[str, Any], settings: config.Config
) -> None:
    drain = repository.parse(container["lifecycle"]["preStop"]["exec"]["command"][1:])

    assert settings.graceful_shutdown + settings.settle < drain.params["timeout"]


def test_the_account_may_do_what_the_agent_asks_for_and_no_more() -> None:
    assert _allowed("ClusterRole") == {
        (*_resource(reflector.NODES), "list"),
        (*_resource(reflector.NODES), "watch"),
        (*_resource(ranges.PATH), "list"),
        *((*_resource(bgpspeaker.COLLECTION), verb) for verb in ("get", "create", "patch")),
        (bgpspeaker.GROUP, f"{bgpspeaker.PLURAL}/status", "patch"),
    }
    assert _allowed("Role", "exabgp-k8s") == {
        (*_resource(pods.PODS.rpartition("/")[0]), "get"),
        (*_resource(pods.DAEMON_SETS.rpartition("/")[0]), "get"),
        *((*_resource(leases.COLLECTION), verb) for verb in ("get", "list", "create", "update")),
    }


@pytest.mark.parametrize(
    ("source", "path"),
    [("cilium", pod_ranges.CILIUM_NODES), ("calico", pod_ranges.BLOCK_AFFINITIES)],
)
def test_a_component_gives_the_right_to_read_one_plugins_objects_and_no_more(
    source: str, path: str
) -> None:
    folder = f"components/pods-from-{source}"
    role, binding = yaml.safe_load_all(repository.read(f"daemonset/{folder}/rbac.yaml"))
    group, resource = _resource(path)

    assert role["rules"] == [
        {"apiGroups": [group], "resources": [resource], "verbs": ["list", "watch"]}
    ]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "exabgp-k8s", "namespace": "exabgp-k8s"}
    ]
    assert repository.manifest(f"{folder}/kustomization.yaml")["resources"] == ["rbac.yaml"]


def test_events_may_be_written_where_they_belong_and_nowhere_else() -> None:
    """A ClusterRole would allow Events about everything, in every namespace."""
    assert _allowed("Role", "default") == {
        (*_resource(kube_events.COLLECTION), "create"),
        (*_resource(kube_events.COLLECTION), "patch"),
        (*_resource(servers.SLICE.rpartition("/")[0]), "get"),
    }
    assert "/namespaces/default/" in kube_events.COLLECTION


def test_of_the_endpoint_slices_only_that_of_the_api_servers_may_be_read() -> None:
    (rule,) = [
        rule
        for document in yaml.safe_load_all(repository.read("daemonset/rbac.yaml"))
        for rule in document.get("rules", ())
        if "endpointslices" in rule["resources"]
    ]
    assert rule["resourceNames"] == [servers.SLICE.rpartition("/")[2]]


def test_nothing_moves_a_role_into_another_namespace() -> None:
    """Kustomize's `namespace` rewrites that of every object, also the Role in `default`."""
    assert "namespace" not in repository.manifest("kustomization.yaml")


def _allowed(kind: str, namespace: str | None = None) -> set[tuple[str, str, str]]:
    """Return API group, resource and verb of what the one role of a kind allows."""
    role = next(
        document
        for document in yaml.safe_load_all(repository.read("daemonset/rbac.yaml"))
        if document["kind"] == kind and document["metadata"].get("namespace") == namespace
    )
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def _resource(path: str) -> tuple[str, str]:
    """Return API group and resource of a collection's path."""
    parts = path.strip("/").split("/")
    return ("" if parts[0] == "api" else parts[1], parts[-1])


def test_the_container_has_no_rights_on_the_node(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    of_the_pod, of_the_container = pod["securityContext"], container["securityContext"]

    assert of_the_pod["runAsNonRoot"] is True
    assert of_the_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert of_the_container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_pod_stays_on_a_node_that_is_taken_out(pod: dict[str, Any]) -> None:
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert pod["priorityClassName"] == "system-node-critical"


def test_one_node_at_a_time_is_updated() -> None:
    strategy = repository.manifest("daemonset.yaml")["spec"]["updateStrategy"]

    assert strategy["rollingUpdate"]["maxUnavailable"] == 1


def test_the_image_is_that_of_this_version(container: dict[str, Any]) -> None:
    (image,) = repository.manifest("kustomization.yaml")["images"]

    assert image["name"] == container["image"]
    assert image["newTag"] == exabgp_k8s.__version__
    assert f"ARG VERSION={exabgp_k8s.__version__}\n" in repository.read("Dockerfile")


def test_the_images_user_is_the_pods(pod: dict[str, Any]) -> None:
    """ExaBGP refuses to start as a user that /etc/passwd does not know."""
    user = pod["securityContext"]["runAsUser"]
    dockerfile = repository.read("Dockerfile")

    assert f"\nUSER {user}:{pod['securityContext']['runAsGroup']}\n" in dockerfile
    assert f"useradd --uid {user} " in dockerfile
