"""The image, built by a container engine and run with the manifests' own limits."""
