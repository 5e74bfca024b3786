"""A real ExaBGP as a subprocess."""
