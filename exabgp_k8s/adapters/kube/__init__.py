"""The API servers: which one to ask, when, and what is read and written there."""

from exabgp_k8s.adapters.kube import light

# Before any module of this package imports it.
light.load()
