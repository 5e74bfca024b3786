"""What is valid and still worth a word."""

from __future__ import annotations

import pytest

from exabgp_k8s.settings import notes
from tests.settings import samples


@pytest.mark.parametrize(
    ("asn", "attributes", "paths"),
    [
        (64513, {"localPref": 200}, ["peers[0].attributes.localPref"]),
        (64513, {"localPref": 0}, ["peers[0].attributes.localPref"]),
        (64513, {"med": 200}, []),
        (64512, {"localPref": 200}, []),
    ],
    ids=["eBGP", "eBGP, zero", "not written", "iBGP"],
)
def test_a_local_preference_for_another_as_is_said_not_to_be_sent(
    asn: int, attributes: dict[str, int], paths: list[str]
) -> None:
    peer = {"name": "tor", "address": "192.0.2.1", "asn": asn, "attributes": attributes}
    settings = samples.parse(samples.changed(("peers",), [peer]))

    assert [note.path for note in notes.find(settings)] == paths
