"""Process 1 of the pod: it starts ExaBGP, watches it, passes on its log, and stops it."""
