"""The check of the settings at the start of a pod, in a process of its own.

Nothing is imported but what that takes: everything else waits for its end.
"""

from __future__ import annotations

import io
import os

from exabgp_k8s.adapters import kept
from exabgp_k8s.agent.options import Options
from exabgp_k8s.errors import Problem, SettingsError
from exabgp_k8s.settings import mounted
from exabgp_k8s.wire import checked

OK, REFUSED = 0, 2
"""Exit codes: ``cli.exits``."""


def check(document: bytes | None) -> int:
    """Keep good settings for the agent, or say what is wrong; return the exit code.

    Bad ones are refused, unless this pod has run before: then its last good ones go on. A
    container that restarts in the middle of a bad edit must not take the node's routes away.

    Args:
        document: what the file held at the start; None if it could not be read.
    """
    chosen = Options.from_environment(os.environ)
    try:
        _keep(chosen, document)
    except SettingsError as error:
        from exabgp_k8s.cli import refusals  # noqa: PLC0415 - for the last words

        last_good = chosen.state_dir / kept.LAST_GOOD
        has_run = last_good.exists()
        effect = f"going on with {last_good}" if has_run else "nothing is announced"
        refusals.show_problems(chosen.log_format, chosen.settings, error.problems, effect)
        return OK if has_run else REFUSED
    except OSError as error:
        from exabgp_k8s.cli import refusals  # noqa: PLC0415

        refusals.fail(chosen.log_format, f"--state-dir: {error}; it has to be writable")
    return OK


def _keep(chosen: Options, document: bytes | None) -> None:
    """Check the document and keep what it means, unless that was done before."""
    if document is None:
        text = mounted.read_text(chosen.settings)
    else:
        text = mounted.text_of(io.BytesIO(document), str(chosen.settings))
    known = kept.recall(chosen.state_dir)
    if known is not None and known.digest == checked.digest(text):
        return
    from exabgp_k8s.settings import load  # noqa: PLC0415 - most of the time of a start

    try:
        settings = load.parse(text, str(chosen.settings))
    except SettingsError:
        raise
    except Exception as error:
        # A bug of ours: the last good settings go on for it as for a mistake of somebody's.
        problem = Problem("", f"the settings could not be read: {error!r}")
        raise SettingsError((problem,), str(chosen.settings)) from error
    kept.keep(chosen.state_dir, text, settings)
