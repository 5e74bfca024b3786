"""What follows from the facts and the time, worked out once a turn."""
