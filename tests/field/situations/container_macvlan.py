# SPDX-License-Identifier: Apache-2.0
"""A container on a macvlan of the host's card (docker's macvlan networks): its segments cross that card, with its socket on them.

Right: the host has no such socket, and says nothing. What the container connects and serves is the container's alone.
"""
from field import *

NETWORK = "10.79.0"


def server(port):
    c = accepted(listen(port))
    c.sendall(b"x" * len(read_all(c, 20_000)))
    c.recv(1)
    c.close()


def client(host, port):
    c = connect(host, port)
    c.sendall(b"y" * 20_000)
    read_all(c, 20_000)
    time.sleep(0.3)
    c.close()


def play(lab):
    lab.pair()
    lab.netns("c")
    lab.ip("b", f"addr add {NETWORK}.2/24 dev to-a")
    lab.device("a", "own link to-b type macvlan mode bridge")
    lab.ip("a", f"link set own netns {lab.full('c')}")
    lab.ip("c", f"addr add {NETWORK}.3/24 dev own")
    lab.ip("c", "link set own up")
    lab.watch("a")
    lab.watch("c")
    lab.server("b", "fld-srv", server, 7831, 7831)
    lab.actor("c", "fld-cli", client, f"{NETWORK}.2", 7831).result()
    lab.server("c", "fld-own", server, 7832, 7832)
    lab.actor("b", "fld-far", client, f"{NETWORK}.3", 7832).result()


expect = {
    "a": view(),
    "c": view(life(f"{NETWORK}.2:7831", "completed", process="fld-cli", closed_by="local", tx=20_000, rx=20_000),
              life(local=":7832", outcome="completed", process="fld-own", closed_by="peer", tx=20_000, rx=20_000)),
}
