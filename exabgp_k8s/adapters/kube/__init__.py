"""The API servers: which one to ask, when, and what is read and written there."""
