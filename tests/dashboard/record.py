"""Five nodes with faults, scraped by a real Prometheus: data to look at the dashboard with.

    python -m tests.dashboard.record FOLDER

Needs root, as all beds do. What Prometheus wrote stays in the folder: ``tests.dashboard.draw``
looks at it.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from http import server
from pathlib import Path
from typing import Any

from tests.architecture import alert_rules, repository
from tests.fabric import five, namespaces

RELAY, PROMETHEUS = 19179, 19090
"""Ports on loopback of this machine: the agents listen on that of their namespaces."""
INTERVAL, RARELY = 5, 20
"""Seconds between two scrapes, of a node and of the cluster: minutes are to look like more."""
QUIET, LONG = 45, 140
"""Seconds before something happens, and until a session has been down for long enough."""
CLUSTER = "cluster"


def main() -> int:
    """Record and keep it."""
    folder = Path(sys.argv[1]).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    bed = five.Five("own")
    try:
        prometheus = _start(folder, bed)
        try:
            _live(bed)
            (folder / "ended").write_text(str(time.time()), encoding="ascii")
        finally:
            namespaces.stop(prometheus, number=signal.SIGTERM)
    finally:
        bed.close()
    return 0


def _live(bed: five.Five) -> None:
    """Let a few things happen, one after the other."""
    time.sleep(QUIET)
    bed.agents["n1"].agent().kill()
    time.sleep(QUIET)
    bed.agents["n1"].exabgp().kill()
    time.sleep(QUIET)
    bed.api.cordon("n5")
    time.sleep(LONG)


def _start(folder: Path, bed: five.Five) -> subprocess.Popen[bytes]:
    sources: dict[str, Callable[[], str]] = {
        name: lambda agent=agent: agent.node.namespace.inside(_metrics)  # type: ignore[misc]
        for name, agent in bed.agents.items()
    }
    sources[CLUSTER] = lambda: bed.cluster("metrics").stdout
    threading.Thread(target=_serve, args=(sources,), daemon=True).start()
    shutil.copy(repository.ROOT / alert_rules.SOURCE, folder / "rules.yaml")
    jobs = [
        {
            "job_name": name,
            "metrics_path": f"/{name}",
            "scrape_interval": f"{RARELY if name == CLUSTER else INTERVAL}s",
            "static_configs": [{"targets": [f"127.0.0.1:{RELAY}"], "labels": {"instance": name}}],
        }
        for name in sources
    ]
    configuration = {
        "global": {"evaluation_interval": f"{INTERVAL}s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": jobs,
    }
    return run(folder, configuration)


def run(folder: Path, configuration: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start Prometheus over a folder."""
    (folder / "prometheus.yml").write_text(json.dumps(configuration), encoding="ascii")
    return subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{PROMETHEUS}",
            "--log.level=warn",
        ]
    )


def _metrics() -> str:
    with urllib.request.urlopen("http://127.0.0.1:9179/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def _serve(sources: dict[str, Callable[[], str]]) -> None:
    class Relay(server.BaseHTTPRequestHandler):
        """Answers for whoever is asked by the path."""

        def do_GET(self) -> None:
            try:
                body = sources[self.path.strip("/")]().encode()
            except OSError:
                self.send_error(503)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server.ThreadingHTTPServer(("127.0.0.1", RELAY), Relay).serve_forever()


if __name__ == "__main__":
    sys.exit(main())
