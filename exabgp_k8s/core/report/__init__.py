"""What people are told of it."""
