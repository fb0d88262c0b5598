# SPDX-License-Identifier: Apache-2.0
"""A tarpit (LaBrea, xtables' TARPIT) answers every SYN, and keeps the window closed: nobody is there, and no process reads.

Right: the window stays closed; a client that gives up closes with data unsent. Nothing says which process reads, and there is none.
"""
from field import *
import middlebox

state = {}


def tarpit(frame, to_b):
    """Answers in b's name, to whatever comes."""
    if not to_b:
        return []
    reply = bytearray(frame.data[:54])
    reply[0:6], reply[6:12] = frame.data[6:12], frame.data[0:6]
    reply[26:30], reply[30:34] = frame.data[30:34], frame.data[26:30]
    reply[16:18] = struct.pack("!H", 40)
    reply[24:26] = b"\0\0"
    reply[24:26] = middlebox.folded(bytes(reply[14:34]))
    at = 34
    syn = frame.flags & middlebox.SYN
    seq = 7000 if syn else 7001
    ack = frame.seq + 1 if syn else state["next"]
    if syn:
        state["next"] = frame.seq + 1
    flags = (middlebox.SYN if syn else 0) | middlebox.ACK
    reply[at:at + 20] = struct.pack("!HHIIBBHHH", frame.ports[1], frame.ports[0], seq, ack % 2**32, 0x50, flags, 10 if syn else 0, 0, 0)
    answer = middlebox.Frame(bytes(reply))
    if frame.flags & middlebox.RST:
        return []
    if frame.length and frame.seq == state["next"] and not state.get("took"):
        state["took"], state["next"] = True, (frame.seq + min(frame.length, 10)) % 2**32
        answer.data[at + 8:at + 12] = struct.pack("!I", state["next"])
    elif not syn and not frame.length and frame.seq == state["next"]:
        return []
    return [(False, answer.with_checksum())]


def client():
    c = connect(B, 7822)
    c.settimeout(3)
    c.setsockopt(socket.IPPROTO_TCP, 18, 2500)  # TCP_USER_TIMEOUT
    c.sendall(b"x" * 2000)
    failed = error_of(c.recv, 10)
    c.close()
    return failed


def play(lab):
    box = middlebox.middlebox(lab, tarpit)
    lab.watch("a")
    lab.actor("a", "fld-cli", client).result()
    time.sleep(0.3)
    box.end()


expect = {"a": view(life(f"{B}:7822", "user-timeout", process="fld-cli", findings={"zero-window": "certain"},
                         may={"retransmission": "certain", "reset-origin": "certain"}, never=["were not answered"]))}
