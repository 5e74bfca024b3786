"""A router and an API server on loopback, for ``try`` and for the tests."""
