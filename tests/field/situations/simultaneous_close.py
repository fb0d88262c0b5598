# SPDX-License-Identifier: Apache-2.0
"""Both ends close at the same moment: their FINs cross on the way (CLOSING), and the ACK of one gets lost.

Right: both closed. The FIN whose ACK was lost is sent again, once, and answered by a socket in TIME_WAIT.
"""
from field import *
import middlebox

held = []
state = {"lost": 0}


def cross(frame, to_b):
    """Each side's first FIN waits until the other one's is here; the first bare ACK of a's FIN is lost."""
    if frame.flags & middlebox.FIN and len(held) < 2:
        held.append((to_b, bytes(frame.data)))
        return held[:] if len(held) == 2 else []
    if len(held) == 2 and to_b and not frame.flags & middlebox.FIN and not state["lost"]:
        state["lost"] = 1
        return []
    return None


def server(go):
    c = accepted(listen(7805))
    read_all(c, 5)
    c.sendall(b"hello")
    go.wait()
    c.close()


def client(go):
    c = connect(B, 7805)
    c.sendall(b"hello")
    read_all(c, 5)
    time.sleep(0.2)
    go.set()
    c.close()
    time.sleep(1)


def play(lab):
    box = middlebox.middlebox(lab, cross)
    go = Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7805, go)
    lab.actor("a", "fld-cli", client, go).result()
    box.end()


expect = {
    "a": view(life(f"{B}:7805", "completed", process="fld-cli", closed_by="both", tx=5, rx=5,
                   may={"time-wait": "certain", "retransmission": "certain"})),
    "b": view(life(local=":7805", outcome="completed", process="fld-srv", closed_by="both", tx=5, rx=5, findings={"retransmission": "certain"},
                   may={"time-wait": "certain"})),
}
