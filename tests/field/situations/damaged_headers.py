# SPDX-License-Identifier: Apache-2.0
"""A bad cable damages headers: a RST bit, a sequence number, an acknowledgement, a window of 0, each in one segment whose checksum says so.

Reported: bad memory in switches (Twitter 2015, veth's checksum bug), cards that damage frames behind their own check.
Right: TCP throws such segments away by their checksum. What stands in them is nobody's word: no reset, no closed window, no far-away numbers.
"""
from field import *
import middlebox

SIZE = 60_000
count = {"data": 0, "back": 0}


def damage(frame, to_b):
    data, at = frame.data, frame.tcp
    if to_b and frame.length > 500:
        count["data"] += 1
        n = count["data"]
        if n == 5:
            data[at + 13] |= middlebox.RST
        elif n == 10:
            data[at + 4] ^= 0x10  # its number, by 2^28
        elif n == 15:
            data[at + 60] ^= 1  # payload
        elif n == 20:
            data[at + 13] |= middlebox.FIN
        else:
            return None
        return [(to_b, bytes(data))]
    if not to_b and frame.flags == middlebox.ACK and frame.length == 0:
        count["back"] += 1
        n = count["back"]
        if n == 4:
            data[at + 14:at + 16] = b"\0\0"
        elif n == 7:
            data[at + 8] ^= 0x10
        elif n == 10:
            data[at + 13] |= middlebox.RST
        else:
            return None
        return [(to_b, bytes(data))]
    return None


def server():
    c = accepted(listen(7801))
    size = len(read_all(c))
    c.close()
    return size


def client():
    c = connect(B, 7801)
    for _ in range(SIZE // 1000):
        c.sendall(b"x" * 1000)
        time.sleep(0.005)
    c.shutdown(socket.SHUT_WR)
    read_all(c)
    c.close()


def play(lab):
    box = middlebox.middlebox(lab, damage)
    lab.watch("a")
    lab.watch("b")
    serving = lab.server("b", "fld-srv", server, 7801)
    lab.actor("a", "fld-cli", client).result()
    lab.must(serving.result() == SIZE, "it did not all arrive")
    time.sleep(0.2)
    box.end()


never = ["out of the window", "reset-by", "not captured", "window of the peer was closed"]
expect = {
    "a": view(life(f"{B}:7801", "completed", process="fld-cli", closed_by="local", tx=SIZE, rx=0, wire__complete=True,
                   findings={"retransmission": "certain", "bad-checksum": "certain"}, never=never)),
    "b": view(life(local=":7801", outcome="completed", process="fld-srv", closed_by="peer", rx=SIZE, tx=0, wire__complete=True,
                   findings={"retransmission": "certain", "bad-checksum": "certain"}, never=never)),
}
