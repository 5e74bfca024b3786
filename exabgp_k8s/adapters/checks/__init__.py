"""Health checks: run the probes of the settings and deliver an event for each outcome.

``runner`` owns time, and each kind of probe has a module of its own that is imported only when a
check of that kind is configured. What an outcome means is not decided here.
"""
