"""The documentation as a site: how Sphinx reads the Markdown that a forge shows as well.

Nothing is written for the site alone. The pages are plain Markdown, the order is that of the lists
in ``docs/index.md``, and what the site adds stands in this folder. ``tox -e docs`` builds it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

project = "exabgp-k8s"
author = "the contributors of exabgp-k8s"
(release,) = re.findall(
    r'^__version__ = "(.+)"$', (ROOT / "exabgp_k8s/__init__.py").read_text(), re.MULTILINE
)
version = release

# The root of the repository is the source, so that links to files beside the pages lead somewhere.
root_doc = "docs/index"
include_patterns = ["docs/**", "*.md"]
exclude_patterns = ["docs/site"]
extensions = [
    *("myst_parser", "contents", "drawings", "languages"),
    *("accessible", "selfcontained", "versions"),
]
# A link to a heading that does not exist is a warning, and the build takes warnings for errors.
nitpicky = True
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"exabgp-k8s {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
templates_path = ["templates"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "version.html",
        "sidebar/scroll-end.html",
    ]
}
