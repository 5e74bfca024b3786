"""The supervisor's parts, without an ExaBGP."""
