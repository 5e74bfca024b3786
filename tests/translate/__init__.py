"""Other programs' settings, written as ours."""
