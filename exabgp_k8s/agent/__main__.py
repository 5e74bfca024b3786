"""``python -m exabgp_k8s.agent``: started by ExaBGP and not by hand.

Everything that ``run`` was told comes as environment variables, so no command line is needed here.
"""

from __future__ import annotations

import gc
import os
import sys

from exabgp_k8s.agent import main, options

if __name__ == "__main__":
    # What is imported stays. The collector would look at all of it again a second after the start
    # and now and then, and the loop stands still for as long: 20 ms and more.
    gc.freeze()
    sys.exit(main.run(options.Options.from_environment(os.environ)))
