"""The files around the code: manifests, image, pages, CI."""
