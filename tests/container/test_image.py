"""The image of the Dockerfile: built by an engine, small, and at home with a pod's few rights.

What runs is what ``daemonset.yaml`` and its components say: user 65532, a read-only root file
system, no capabilities, no new privileges, the runtime's own system calls, 192 MiB.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import exabgp_k8s
from tests.architecture import repository
from tests.bench import footprint
from tests.container import engine, node
from tests.container.conftest import Built
from tests.support import asking, processes
from tests.support.lab import START_LIMIT, until

pytestmark = [pytest.mark.functional, pytest.mark.timeout(1500)]

BUDGET = 60
"""MB over the base."""
LAYERS = 4
"""BIRD; the packages; the user and the bytecode; some engines add an empty one."""


@pytest.fixture(name="lab")
def _lab(built: Built, tmp_path: Path) -> Iterator[node.Contained]:
    with node.Contained(tmp_path) as found:
        found.contain(built.files, built.config, tmp_path / "bundle")
        yield found


def alone(built: Built, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the image with the rights of the pod, and with a /tmp."""
    spec = node.pod("daemonset.yaml")
    engine.bundle(
        folder, built.files, built.config, spec, spec["containers"][0],
        arguments=[*built.config["Entrypoint"], *arguments],
        mounts=[engine.memory_volume("/tmp")],
    )  # fmt: skip
    return node.Running(folder).finish()


def test_the_base_is_that_of_the_dockerfile() -> None:
    version = re.findall(r"^ARG PYTHON=(\S+)$", repository.read("Dockerfile"), re.MULTILINE)

    assert f"docker.io/library/python:{version[0]}-slim" == engine.BASE


def test_it_is_at_most_60_mb_larger_than_its_base(built: Built) -> None:
    base, whole = engine.size(built.base_files), engine.size(built.files)
    print(f"\nimage: {whole:.1f} MB, base {base:.1f} MB, ours {whole - base:.1f} MB")

    assert whole - base <= BUDGET


def test_it_has_few_layers(built: Built) -> None:
    layers, base = (
        len(each["rootfs"]["diff_ids"]) for each in (built.description, built.base_description)
    )
    print(f"\nlayers: {layers}, {layers - base} of them ours")

    assert layers - base <= LAYERS


def test_it_says_what_it_is(built: Built) -> None:
    labels = built.config["Labels"]

    assert labels["org.opencontainers.image.version"] == exabgp_k8s.__version__
    assert labels["org.opencontainers.image.licenses"] == "MIT"
    assert built.config["User"] == "65532:65532"
    assert built.config["StopSignal"] == "SIGTERM"


def test_no_caches_are_left_in_it(built: Built) -> None:
    kept = [built.files / each for each in ("var/cache/apt", "var/lib/apt/lists", "root/.cache")]

    assert [path for each in kept for path in each.glob("*") if path.is_file()] == []


def test_only_what_is_imported_has_bytecode(built: Built) -> None:
    (packages,) = built.files.glob("opt/exabgp-k8s/lib/python3*/site-packages")
    compiled = {each.parent.parent / each.name.split(".")[0] for each in packages.rglob("*.pyc")}

    assert packages / "exabgp_k8s/agent/loop" in compiled
    assert packages / "exabgp_k8s/core/step" in compiled
    # The looking glass and the translators run elsewhere; a node never imports them.
    assert packages / "exabgp_k8s/looking_glass/app" not in compiled
    assert packages / "exabgp_k8s/translate/metallb" not in compiled


def test_its_entry_is_the_command_line(built: Built, tmp_path: Path) -> None:
    shown = alone(built, tmp_path / "bundle", "--help")

    assert shown.returncode == 0, shown.stderr
    assert "Announce this Kubernetes node's service and pod ranges" in shown.stdout


def test_it_checks_settings(built: Built, tmp_path: Path) -> None:
    spec = node.pod("daemonset.yaml")
    engine.bundle(
        tmp_path / "bundle", built.files, built.config, spec, spec["containers"][0],
        arguments=[*built.config["Entrypoint"], "config", "validate", "/settings/settings.yaml"],
        mounts=[engine.bound(repository.ROOT / "daemonset", "/settings")],
    )  # fmt: skip
    checked = node.Running(tmp_path / "bundle").finish()

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_try_runs_in_it_to_its_end(built: Built, tmp_path: Path) -> None:
    tried = alone(built, tmp_path / "bundle", "try")

    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "7. The pod is stopped" in tried.stdout


def test_a_pod_of_it_announces_answers_its_probes_and_leaves(lab: node.Contained) -> None:
    began = time.monotonic()
    lab.start()
    lab.expect(lab.services, lab.pods, limit=START_LIMIT)
    print(f"\nstart to both routes at the router: {time.monotonic() - began:.1f} s")
    (container,) = node.pod("daemonset.yaml")["containers"]
    alive = container["livenessProbe"]["exec"]["command"]
    until(lambda: lab.container.inside(*alive).returncode == 0, lab.state)
    until(lambda: asking.http(lab.http_port, "/readyz")[0] == 200, lab.state)

    rights = lab.container.inside("cat", "/proc/1/status").stdout
    assert re.findall(r"^Uid:\t(\d+)", rights, re.MULTILINE) == ["65532"]
    assert set(re.findall(r"^Cap\w+:\t(\w+)", rights, re.MULTILINE)) == {"0" * 16}
    assert re.findall(r"^(?:NoNewPrivs|Seccomp):\t(\d)", rights, re.MULTILINE) == ["1", "2"]
    assert lab.container.inside("touch", "/opt/exabgp-k8s/file").returncode != 0

    assert lab.process is not None
    (first,) = processes.children(processes.lineage(lab.process.pid)[0])
    pids = [each.pid for each in processes.lineage(first.pid)]
    print(f"PSS: {sum(footprint.pss(each) for each in pids):.1f} MiB in {len(pids)} processes")

    left = lab.container.inside(*container["lifecycle"]["preStop"]["exec"]["command"])
    assert left.returncode == 0, left.stderr + lab.state()
    # That all was written is what the drain waits for; to read it takes the router a moment.
    lab.expect()
    lab.process.terminate()
    assert lab.process.wait(60) == 0


def test_the_engine_of_bfd_starts_in_it(built: Built, tmp_path: Path) -> None:
    spec = node.pod("components/bfd/daemonset.yaml")
    (first,), (bird,) = spec["initContainers"], spec["containers"]
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    mounts = [engine.bound(shared, "/run/exabgp-k8s-bfd", is_read_only=False)]
    first["resources"] = bird["resources"]
    engine.bundle(
        tmp_path / "first", built.files, built.config, spec, first,
        arguments=first["command"], mounts=mounts,
    )  # fmt: skip
    prepared = node.Running(tmp_path / "first").finish()
    assert prepared.returncode == 0, prepared.stderr

    engine.bundle(
        tmp_path / "bird", built.files, built.config, spec, bird,
        arguments=bird["command"], mounts=mounts,
    )  # fmt: skip
    running = node.Running(tmp_path / "bird")
    process = subprocess.Popen(running.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        until((shared / "bird.ctl").is_socket, "BIRD has no socket")
        shown = running.inside("birdc", "-s", "/run/exabgp-k8s-bfd/bird.ctl", "show", "status")
        assert "Daemon is up and running" in shown.stdout, shown.stdout + shown.stderr
    finally:
        running.remove()
        process.communicate()


def test_the_looking_glass_shows_its_first_page_from_it(
    built: Built, lab: node.Contained, tmp_path: Path
) -> None:
    spec = node.pod("components/looking-glass/deployment.yaml")
    (container,) = spec["containers"]
    command = [*container["args"][:1], "--listen", f"127.0.0.1:{lab.http_port}"]
    engine.bundle(
        tmp_path / "glass", built.files, built.config, spec, container,
        arguments=[*built.config["Entrypoint"], *command],
        env=lab.asking, mounts=[engine.bound(lab.directory / "account", node.ACCOUNT)],
    )  # fmt: skip
    running = node.Running(tmp_path / "glass")
    process = subprocess.Popen(running.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        until(lambda: asking.http(lab.http_port, "/healthz")[0] == 200, "it does not answer")
        assert "exabgp-k8s" in asking.http(lab.http_port, "/")[1]
    finally:
        running.remove()
        process.communicate()


def test_the_list_of_its_packages_can_be_made(built: Built) -> None:
    listed = subprocess.run(
        [sys.executable, repository.ROOT / ".ci/sbom", built.files],
        capture_output=True,
        text=True,
        check=False,
    )

    assert listed.returncode == 0, listed.stderr
    names = {each["name"] for each in json.loads(listed.stdout)["components"]}
    assert {"exabgp", "kubernetes", "bird2", "libc6"} <= names
