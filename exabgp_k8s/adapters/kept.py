"""The last good settings in the state directory: their text, and what it means.

Who has checked settings leaves them here for the next agent, which then need not.
"""

from __future__ import annotations

from pathlib import Path

from exabgp_k8s.core.facts import config
from exabgp_k8s.wire import checked

LAST_GOOD = "settings.last-good.yaml"
"""It names Secret keys and holds no secret."""
LAST_CHECKED = "settings.last-good.json"
"""Beside it: what it means."""


def keep(state_dir: Path, text: str, settings: config.Config) -> None:
    """Keep settings that were checked.

    The text without what it means is only more work: it is checked again.
    """
    values = state_dir / LAST_CHECKED
    # They may be two megabytes, and the volume has four: never the old ones beside the new.
    values.unlink(missing_ok=True)
    _replace(state_dir / LAST_GOOD, text)
    _replace(values, checked.dump(settings, text))


def recall(state_dir: Path) -> checked.Checked | None:
    """Return the last good settings of a state directory; None if they have to be checked."""
    try:
        return checked.load((state_dir / LAST_CHECKED).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def _replace(path: Path, text: str) -> None:
    """Replace a file in one step, so that a crash leaves the old one or the new one."""
    candidate = path.with_suffix(".new")
    try:
        candidate.write_text(text, encoding="utf-8")
        candidate.replace(path)
    except OSError:
        # Half a file would fill a volume that has no room for the whole of it.
        candidate.unlink(missing_ok=True)
        raise
