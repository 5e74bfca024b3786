"""The core, as pure functions."""
