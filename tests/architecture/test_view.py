"""What people may read of the cluster is what the command line asks for, and no more."""

from __future__ import annotations

import yaml

from exabgp_k8s.cli import cluster_asking
from exabgp_k8s.wire import bgpspeaker
from tests.architecture import repository

READ = ["get", "list", "watch"]
ROLES = {
    each["metadata"]["name"]: each
    for each in yaml.safe_load_all(repository.read("daemonset/view.yaml"))
}


def rules(name: str) -> dict[str, list[str]]:
    """Return the verbs of a role by the path of each collection."""
    return {
        f"/{'apis/' if group else 'api/'}{group and group + '/'}{version}/{resource}": rule[
            "verbs"
        ]
        for rule in ROLES[name]["rules"]
        for group in rule["apiGroups"]
        for version in [bgpspeaker.VERSION if group else "v1"]
        for resource in rule["resources"]
    }


def test_the_role_for_people_is_what_the_command_line_reads() -> None:
    paths = (cluster_asking.SPEAKERS, cluster_asking.NODES)

    assert rules("exabgp-k8s-view") == dict.fromkeys(paths, READ)


def test_everybody_with_view_may_read_the_objects_and_no_nodes_by_us() -> None:
    label = "rbac.authorization.k8s.io/aggregate-to-view"
    aggregated = [name for name, each in ROLES.items() if label in each["metadata"]["labels"]]

    assert aggregated == ["exabgp-k8s-bgpspeakers"]
    assert rules("exabgp-k8s-bgpspeakers") == {cluster_asking.SPEAKERS: READ}


def test_the_roles_are_applied_with_the_rest() -> None:
    assert "view.yaml" in repository.manifest("kustomization.yaml")["resources"]
