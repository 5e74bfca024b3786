"""Random faults against a whole cluster, and what must hold all the while."""
