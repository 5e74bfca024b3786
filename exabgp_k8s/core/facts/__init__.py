"""The nouns: what is known, what can happen, what can be told. No rule about them is here."""
