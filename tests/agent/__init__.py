"""The one loop, with its two pipes in the hands of a test."""
