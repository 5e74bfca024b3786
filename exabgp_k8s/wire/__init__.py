"""Other people's languages: bytes and text in, values out, and back. No I/O."""
