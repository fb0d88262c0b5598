# SPDX-License-Identifier: Apache-2.0
"""Thousands of short connections through a router, whose tracer has room for half of their flows.

Right: each is whole, and none was evicted: what is over leaves the flow map.
"""
from field import *

COUNT, PORT = 2000, 7070


def client():
    for i in range(COUNT):
        c = connect(B, PORT)
        c.sendall(b"question")
        read_all(c)
        c.close()
        if i % 200 == 199:  # the tracer's process forgets what is over, when it gets a processor
            time.sleep(0.2)


def server():
    listener = listen(PORT, backlog=128)
    for _ in range(COUNT):
        c = accepted(listener)
        c.sendall(read_all(c, 8))
        c.close()


def play(lab):
    lab.routed()
    lab.server("b", "fld-srv", server, PORT)
    lab.watch("r", "--forwarded", "--flows", "2048")
    lab.actor("a", "fld-cli", client).result()


expect = {"r": view(life(f"{B}:{PORT}", "completed", closed_by="peer", tx=8, rx=8, count=COUNT,
                         wire__complete=True, forwarded__joined=True, may={"retransmission": "likely"}),
                    summary={"flows_full": 0})}
