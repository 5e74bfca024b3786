"""What an event changes in what is known."""
