"""What the program costs, as ratios to what the bare parts cost in the same run."""


class BenchError(Exception):
    """Something that is measured does not work at all."""
