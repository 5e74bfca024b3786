"""The Grafana dashboard: made, held to the metrics, and drawn to be looked at."""
