"""adapters/checks."""
