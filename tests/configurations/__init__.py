"""Networks as people have them: ten kinds of configurations of other programs, written as ours.

In each folder *theirs* is a configuration as the program's users publish them, settings.yaml
is ours for the same network, and exabgp.conf is what a node of it gets.

After a change of what is rendered:  python -m tests.configurations
"""
