"""What touches the world: one part each, and none knows another."""
