"""The settings: what is read, and what is said of what cannot be."""
