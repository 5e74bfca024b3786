"""The least that can watch a Node: reads the stream, decodes each line, says when it had it.

Run as ``python watcher.py URL CA-FILE TOKEN``; it needs urllib3 and nothing else. A process of
its own, as ours is one: it must not wait for the server's interpreter lock.
"""

import json
import os
import sys
import time

import urllib3

url, authority, token = sys.argv[1:]
pool = urllib3.PoolManager(ca_certs=authority, timeout=None, retries=False)
headers = {"Authorization": f"Bearer {token}"}
response = pool.request("GET", url, headers=headers, preload_content=False)
rest = b""
for piece in response.stream(amt=None, decode_content=False):
    *lines, rest = (rest + piece).split(b"\n")
    for line in lines:
        json.loads(line)
        os.write(1, b"%d\n" % time.monotonic_ns())
