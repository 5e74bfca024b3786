"""What shall be true: sessions and routes, and why what is missing is missing."""
