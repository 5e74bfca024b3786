"""What a node that leaves, and one that joins, do to connections that stay open for long."""
