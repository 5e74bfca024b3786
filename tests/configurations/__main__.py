"""Write what the node of each folder gets anew: read the difference before you commit it."""

from __future__ import annotations

from tests.configurations import kinds

for name in kinds.NODES:
    (kinds.HERE / name / "exabgp.conf").write_text(kinds.rendered(name), encoding="utf-8")
for name in kinds.WITH_BFD:
    (kinds.HERE / name / "bird.conf").write_text(kinds.rendered(name, "--bfd"), encoding="utf-8")
