"""The one loop: adapters bring events in, the core decides, adapters carry it out."""
