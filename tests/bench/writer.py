"""The least that can stand behind ExaBGP: passes on lines from a socket and says when it did.

Run by the bare ExaBGP as ``python writer.py SOCKET``; standard library only.
"""

import os
import select
import socket
import sys
import time

orders = socket.socket(socket.AF_UNIX)
orders.connect(sys.argv[1])
while True:
    ready, _, _ = select.select([0, orders.fileno()], [], [])
    # Answers are read so that ExaBGP never blocks, and thrown away.
    if 0 in ready and not os.read(0, 65536):
        break
    if orders.fileno() in ready:
        lines = orders.recv(65536)
        if not lines:
            break
        written = time.monotonic_ns()
        os.write(1, lines)
        orders.sendall(b"%d\n" % written)
