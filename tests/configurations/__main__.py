"""Write the exabgp.conf of each folder anew: read the difference before you commit it."""

from __future__ import annotations

from tests.configurations import kinds

for name in kinds.NODES:
    (kinds.HERE / name / "exabgp.conf").write_text(kinds.rendered(name), encoding="utf-8")
