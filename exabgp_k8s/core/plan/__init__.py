"""What to tell ExaBGP now, on the way to what shall be true."""
