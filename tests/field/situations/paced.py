# SPDX-License-Identifier: Apache-2.0
"""A sender paces itself (SO_MAX_PACING_RATE): pauses between its segments are meant.

Reported: video servers; tools that call each pause a stall.
Right: completed, nothing lost, no stall of anybody.
"""
from field import *

SO_MAX_PACING_RATE = 47


def server():
    c = accepted(listen(7324))
    c.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, 40_000)
    c.sendall(b"x" * 60_000)
    c.close()


def client():
    c = connect(B, 7324)
    begin = time.monotonic()
    size = len(read_all(c))
    c.close()
    return size, time.monotonic() - begin


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7324)
    size, took = lab.actor("a", "fld-cli", client).result()
    lab.must(size == 60_000 and took > 0.8, f"{size} bytes took {took} s only")


expect = {
    "a": view(life(f"{B}:7324", "completed", process="fld-cli", closed_by="peer", rx=60_000, retransmits=0, never=["(?<!that was )lost"])),
    "b": view(life(local=":7324", outcome="completed", process="fld-srv", closed_by="local", tx=60_000, retransmits=0, never=["(?<!that was )lost"])),
}
