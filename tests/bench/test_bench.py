"""The bench itself, run fast: the figures are not judged, only that each of them is there."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

from tests.bench import footprint, router
from tests.bench.samples import percentile

ROOT = pathlib.Path(__file__).parents[2]
SERIES = {
    "bare watch: Node change to line decoded",
    "bare ExaBGP: written to withdrawn",
    "bare ExaBGP: written to announced",
    "bare ExaBGP: all routes withdrawn at all peers",
    "cordon to first route withdrawn",
    "cordon to all routes withdrawn at all peers",
    "exclude label to service range withdrawn",
    "the same while another router is away",
    "uncordon to first route announced",
    "failed check to first route withdrawn",
    "failed check to all routes withdrawn at all peers",
    "bare ExaBGP: start to first route",
    "start to first route",
    "start to all routes at all peers",
}
BUDGETED = {name for name in SERIES if name.startswith(("cordon", "exclude", "failed"))}
RATIOS = ("median / floor's median", "p99 / floor's median", "p99 / floor's p99")
ROWS = {
    "floor: watch and ExaBGP: its own p99 / median",
    *(f"{name}: {ratio}" for name in BUDGETED for ratio in RATIOS),
    "the same while another router is away: median / with all up",
    "uncordon to first route announced: median / floor's median",
    "start to first route: median / bare ExaBGP's median",
    "start: CPU time, median",
    "start: CPU time of a bare ExaBGP, median",
    *(f"idle: PSS, {part}" for part in ("supervisor", "exabgp", "agent", "all three")),
    *(f"idle: CPU, {part}" for part in ("supervisor", "exabgp", "agent")),
    "idle: CPU, all three, of one core",
    "idle: CPU of a bare ExaBGP, of one core",
    "idle: memory of a pod that shares no file with others",
    "idle: the same of a bare ExaBGP with its helper",
    "idle: length of the observation",
    "idle: API requests in that time",
}


@pytest.mark.long
@pytest.mark.functional
@pytest.mark.timeout(600)
def test_a_short_run_measures_every_row(tmp_path: pathlib.Path) -> None:
    """Times, ratios, memory and CPU are all positive; requests may be none."""
    written = tmp_path / "bench.json"
    command = [sys.executable, "-m", "tests.bench", "--samples", "3", "--idle", "2"]
    # Not so often that a busy machine makes the check fail by itself.
    command += ["--starts", "3", "--check", "1s"]
    done = subprocess.run(
        [*command, "--json", str(written)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(written.read_text())
    assert document["milliseconds"].keys() == SERIES
    for each in document["milliseconds"].values():
        assert len(each["samples"]) == 3
        assert min(each["samples"]) > 0
    rows = {row["name"]: row["value"] for row in document["rows"]}
    assert rows.keys() == ROWS
    assert rows.pop("idle: API requests in that time") >= 0
    assert min(rows.values()) > 0


def test_a_percentile_is_a_sample_that_was_taken() -> None:
    """Nearest rank: no figure is invented between two samples."""
    samples = [4.0, 1.0, 3.0, 2.0]
    assert [percentile(samples, share) for share in (0.01, 0.5, 0.75, 0.99)] == [1, 2, 3, 4]


def test_a_process_alone_takes_at_least_what_its_pss_says() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 0 < footprint.pss(process.pid) <= footprint.alone([process.pid]) + 0.1


def test_withdrawn_and_announced_prefixes_are_read_from_one_update() -> None:
    """RFC 4271 section 4.3: lengths in bits, as many octets as they need."""
    body = b"\x00\x03\x10\x0a\x60\x00\x00\x18\x0a\xf4\x01"
    assert list(router.changes(body)) == [
        ("withdrawn", "10.96.0.0/16"),
        ("announced", "10.244.1.0/24"),
    ]
