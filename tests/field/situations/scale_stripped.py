# SPDX-License-Identifier: Apache-2.0
"""A firewall on the way sets the window scale of both SYNs to 0 (LWN 92727): each side takes the other's windows for 128 times smaller than they are.

Reported: "some sites became slow since 2.6.7"; still seen behind old appliances.
Right: nothing is lost, no window is closed; the transfer is slow, that is all.
"""
from field import *
import middlebox

SIZE = 60_000


def strip(frame, to_b):
    if frame.flags & middlebox.SYN:
        at = frame.option(3)
        if at:
            frame.data[at] = 0
            return [(to_b, frame.with_checksum())]
    return None


def server():
    c = accepted(listen(7837))
    read_all(c, 5)
    c.sendall(b"x" * SIZE)
    c.close()


def client():
    c = connect(B, 7837)
    c.sendall(b"hello")
    size = len(read_all(c))
    c.close()
    return size


def play(lab):
    box = middlebox.middlebox(lab, strip)
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7837)
    lab.must(lab.actor("a", "fld-cli", client).result() == SIZE, "not all")
    time.sleep(0.3)
    box.end()


expect = {
    "a": view(life(f"{B}:7837", "completed", process="fld-cli", rx=SIZE, retransmits=0)),
    "b": view(life(local=":7837", outcome="completed", process="fld-srv", tx=SIZE, retransmits=0)),
}
