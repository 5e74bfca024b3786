"""The whole of it: real routers, nodes and traffic in network namespaces."""
