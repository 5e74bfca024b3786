"""Build the site of this version into ``build/site``: a warning is an error.

``tox -e docs`` calls it. Words behind it go to Sphinx, such as ``-j auto`` or ``-b linkcheck``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import conf
from sphinx.cmd import build

STRICT = ["-W", "--keep-going", "-n", "-q", "-E"]


def main() -> int:
    """Return Sphinx's exit code, and say where the site is."""
    out = conf.ROOT / "build/site" / conf.release
    folders = [str(conf.ROOT), str(out)]
    options = ["-c", str(conf.HERE), "-d", str(conf.ROOT / "build/doctrees")]
    code = build.main([*STRICT, *options, *sys.argv[1:], *folders])
    if code == 0:
        sys.stdout.write(f"{Path(out / 'docs/index.html').as_uri()}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
