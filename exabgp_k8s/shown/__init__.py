"""How rows look to people: tables, sentences and a page, the same on the command line and by HTTP.

Pure: rows come in, text goes out. How wide a terminal is, and where text is written to, is known
by those who ask.
"""
