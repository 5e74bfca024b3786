"""Announce the service and pod ranges of a Kubernetes node to the routers, through ExaBGP."""

__version__ = "0.1.0"
