"""A real Prometheus, configured as the page about monitoring says, scrapes a real agent."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture import alert_rules, repository
from tests.dashboard.test_dashboard import queries
from tests.support import ports
from tests.support.lab import Lab, until

pytestmark = pytest.mark.functional

IN_CLUSTER = "docs/prometheus/prometheus.example.yaml"
OUTSIDE = "docs/prometheus/prometheus-static.example.yaml"


class Prometheus:
    """A process of its own, with the example's configuration and one target."""

    def __init__(self, folder: Path, target: str) -> None:
        document = yaml.safe_load(repository.read(OUTSIDE))
        (job,) = document["scrape_configs"]
        job["scrape_interval"] = "1s"
        document["global"] = {"evaluation_interval": "1s"}
        job["static_configs"] = [{"targets": [target], "labels": {"instance": "n1"}}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(document))
        shutil.copy(repository.ROOT / alert_rules.SOURCE, folder)
        self.port = ports.claim()
        self.process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=error",
            ]
        )

    def ask(self, what: str, **more: str) -> Any:
        """Return what its API answers; None: nothing, or not yet."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?{urllib.parse.urlencode(more)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def value(self, expression: str) -> str | None:
        """Return the value of an expression that has one."""
        found = (self.ask("query", query=expression) or {}).get("result")
        return found[0]["value"][1] if found else None


@pytest.fixture
def prometheus(lab: Lab, tmp_path: Path) -> Iterator[Prometheus]:
    lab.up()
    folder = tmp_path / "prometheus"
    folder.mkdir()
    found = Prometheus(folder, f"127.0.0.1:{lab.http_port}")
    yield found
    found.process.kill()
    found.process.wait()


def test_it_reads_an_agent_and_answers_every_query_of_the_dashboard(
    prometheus: Prometheus,
) -> None:
    until(lambda: prometheus.value('exabgp_k8s_session_up{instance="n1"}') == "1", "no metrics")
    until(lambda: prometheus.value("exabgp_k8s:nodes_announcing:sum") == "1", "no rules")

    for _, text in queries():
        assert prometheus.ask("query", query=text) is not None, text
    # A scrape that took longer than a second leaves no value until the next one.
    until(lambda: prometheus.value("count(exabgp_k8s_build_info)") == "1", "no build")
    resident = 'exabgp_k8s_process_resident_bytes{process="agent"} > 0'
    until(lambda: prometheus.value(resident) is not None, resident)


@pytest.mark.parametrize("name", [IN_CLUSTER, OUTSIDE])
def test_prometheus_takes_the_examples(name: str, tmp_path: Path) -> None:
    """Debian's is built without the discovery of Kubernetes: it is not given that part."""
    document = yaml.safe_load(repository.read(name))
    for job in document["scrape_configs"]:
        for discovery in job.pop("kubernetes_sd_configs", ()):
            assert discovery["role"] in {"pod", "endpoints"}
            assert discovery["namespaces"] == {"names": ["exabgp-k8s"]}
    shutil.copy(repository.ROOT / alert_rules.SOURCE, tmp_path)
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(document))

    done = subprocess.run(
        ["promtool", "check", "config", str(tmp_path / "prometheus.yml")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
