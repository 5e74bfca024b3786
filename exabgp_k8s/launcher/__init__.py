"""ExaBGP in a process of ours, with a few of its behaviours replaced before it starts.

    python -m exabgp_k8s.launcher server FILE

Some of what ExaBGP does costs nodes their routes, and no setting of it helps. Each module here
replaces one such behaviour by its ``install()``, and says in its docstring what it replaces, why,
and which test notices when ExaBGP changes there. The line numbers and names are those of 5.0.15,
to which ExaBGP is pinned; an ``install()`` fails at once where a name is gone.

Only this package imports ExaBGP.
"""
