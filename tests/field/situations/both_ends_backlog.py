# SPDX-License-Identifier: Apache-2.0
"""Both ends on this machine: the server does not accept, its queue is full, a client's connect() takes long.

Reported: "connect() to localhost takes 1 or 3 seconds" under load: an overflowing listen backlog.
Right: the client's slow handshake names the server's process and its full queue.
"""
from field import *


def server(full):
    listener = listen(7104, "127.0.0.1", backlog=1)
    full.wait()
    time.sleep(1.5)
    held = [listener.accept()[0] for _ in range(3)]
    time.sleep(2)
    for c in held:
        c.close()


def client(full):
    first = [connect("127.0.0.1", 7104), connect("127.0.0.1", 7104)]
    full.set()
    third = connect("127.0.0.1", 7104)
    for c in [*first, third]:
        read_all(c)
        c.close()


def play(lab):
    lab.netns("a")
    lab.watch("a")
    full = Signal()
    lab.server("a", "fld-srv", server, 7104, full)
    lab.actor("a", "fld-cli", client, full)


slow = {"slow-accept": "certain"}
expect = {"a": view(
    life(remote="127.0.0.1:7104", outcome="completed", process="fld-cli", may=slow, count=2),
    life(remote="127.0.0.1:7104", outcome="completed", process="fld-cli", findings={"slow-handshake": "certain", "retransmission": "certain"},
         peer__comm="fld-srv", says=["at the other end: fld-srv\\[\\d+\\] does not accept fast enough"]),
    life(local="127.0.0.1:7104", outcome="completed", process="fld-srv", may=slow, count=2),
    life(local="127.0.0.1:7104", outcome="completed", process="fld-srv", findings={"accept-queue-full": "certain"},
         may={**slow, "slow-handshake": "certain", "retransmission": "certain"}))}
