"""The looking glass: the whole cluster's routes as web pages, for people without kubectl.

    BGPSpeakers, Nodes ──watch──> mirror ──> picture (rows of ``cluster``) ──> pages, JSON
                                                └─────new one─────> live ──> open pages

A router admin has a browser and no rights in the cluster. What the pages say is what ``cluster``
says, with the same words; here it is only found, filtered, written as HTML and kept up to date.
It only reads. Nothing is kept but the latest changes, in memory. It needs the optional
``looking-glass`` libraries, which nothing on a node loads.
"""
