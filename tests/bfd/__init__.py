"""What BFD is worth and what it costs: how soon a dead node is gone, and that no live one is."""
