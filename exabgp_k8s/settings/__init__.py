"""The settings: one YAML document, checked whole, and the passwords mounted beside it."""
