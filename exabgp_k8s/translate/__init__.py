"""Other programs' BGP settings, written as ours; for people who move, on their own machine."""
