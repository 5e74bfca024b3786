"""What the launcher replaces in ExaBGP, as far as it can be told without one."""
