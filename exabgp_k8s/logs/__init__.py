"""How log lines look, and how many of them may be written."""
