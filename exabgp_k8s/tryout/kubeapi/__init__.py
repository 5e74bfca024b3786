"""A small Kubernetes API server over real HTTP, true to the protocol where a node agent looks."""
