# SPDX-License-Identifier: Apache-2.0
"""A firewall chooses other sequence numbers for each side (as Cisco's do), leaves SACK's numbers alone, and two segments get lost. They wrap.

Reported: ASA and PIX with sequence randomization beside SACK: transfers that crawl or hang.
Right: each end's own numbers and a connection that completes; what was lost was sent again.
"""
from field import *
import middlebox

SIZE = 200_000
state = {}


def shift(frame, to_b):
    data, at = frame.data, frame.tcp
    key = "to_b" if to_b else "to_a"
    if frame.flags & middlebox.SYN and key not in state:
        state[key] = (2**32 - 50_000 - frame.seq) % 2**32
    back = "to_a" if to_b else "to_b"
    data[at + 4:at + 8] = struct.pack("!I", (frame.seq + state.get(key, 0)) % 2**32)
    if frame.flags & middlebox.ACK:
        data[at + 8:at + 12] = struct.pack("!I", (frame.ack - state.get(back, 0)) % 2**32)
    if not to_b and frame.length > 500:
        state["n"] = state.get("n", 0) + 1
        if state["n"] in (30, 60):
            return []
    return [(to_b, frame.with_checksum())]


def server():
    c = accepted(listen(7803))
    read_all(c, 5)
    c.sendall(b"x" * SIZE)
    c.close()


def client():
    c = connect(B, 7803)
    c.sendall(b"hello")
    size = len(read_all(c))
    c.close()
    return size


def play(lab):
    box = middlebox.middlebox(lab, shift)
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7803)
    lab.must(lab.actor("a", "fld-cli", client).result() == SIZE, "not all")
    time.sleep(0.3)
    box.end()


expect = {
    "a": view(life(f"{B}:7803", "completed", process="fld-cli", tx=5, rx=SIZE, wire__complete=True,
                   findings={"retransmission": "certain"})),
    "b": view(life(local=":7803", outcome="completed", process="fld-srv", tx=SIZE, rx=5, wire__complete=True,
                   findings={"retransmission": "certain"})),
}
