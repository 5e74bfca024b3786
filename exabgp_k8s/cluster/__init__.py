"""The whole cluster, as its BGPSpeakers and Nodes tell of it: who announces what to whom.

One node knows all about itself and nothing of the others. What a router's admin asks is about all
of them: who should be in this ECMP set, who is not, why, since when. So here the objects of all
nodes become rows, and the command line, the looking glass and the metrics of the cluster show
these rows, in these words.

Two kinds of objects go in, as JSON gives them, and nothing that is in them raises::

    found = glance.take(
        map(member.parse, nodes),         # Nodes: ready, cordoned, labels
        map(speaker.parse, speakers),     # BGPSpeakers
        now,                              # seconds since 1970
    )

Each of these takes a ``Glance`` and returns plain values (the docstrings name the keys):

===========================  ==================================================================
``rows.nodes(found)``        each node: its state in one word, reason, since, every fault
``rows.sessions(found)``     each session of each node
``rows.routes(found)``       each prefix of each node, with every reason
``routers.peers(found)``     each router: its sessions, its ECMP sets, who is missing and why
``why.row(standing, net)``   one node (``found.nodes[name]``), or what covers one prefix there
``measures.families(found)`` the metrics; ``measures.text(found)`` in Prometheus' words
===========================  ==================================================================

``moments.age(since, found.at)`` is a moment as ``kubectl get`` would say it; ``advice`` has what
to do about each word. Nothing here reads, waits or looks at a clock.
"""
