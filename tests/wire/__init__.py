"""The wire languages, without any wire."""
