"""``python -m exabgp_k8s.agent``: started by ExaBGP and not by hand.

Everything that ``run`` was told comes as environment variables, so no command line is needed here.
"""

from __future__ import annotations

import os
import sys

from exabgp_k8s.agent import main, options

if __name__ == "__main__":
    sys.exit(main.run(options.Options.from_environment(os.environ)))
