"""What is true and what should be: pure functions on frozen values, no I/O and no clock."""
