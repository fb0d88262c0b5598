# SPDX-License-Identifier: Apache-2.0
"""A client puts more IPv6 extension headers before TCP than anybody follows.

Reported: RFC 7872 and its measurements; evasion of firewalls and captures.
Right: the server's kernel takes the segments. The wire has not shown them, and must not say that it is complete.
"""
import select

from field import *
from relay import PACKET_OUTGOING, tcp_payload, wire

IPPROTO_DSTOPTS = 60


def server():
    c = accepted(listen(7102, "::", family=socket.AF_INET6))
    c.sendall(read_all(c, 5) * 20)
    c.recv(1)
    c.close()


def padded(units):
    """An option header of 8 * units bytes that asks nothing."""
    return bytes([0, units - 1, 1, 8 * units - 4]) + bytes(8 * units - 4)


def stuffed(frame, headers):
    """A packet with payload, and so many destination option headers before TCP."""
    if not tcp_payload(frame):
        return frame
    chain = b"".join(bytes([IPPROTO_DSTOPTS if n + 1 < headers else 6]) + padded(1)[1:] for n in range(headers))
    length = int.from_bytes(frame[18:20], "big") + len(chain)
    return frame[:18] + length.to_bytes(2, "big") + bytes([IPPROTO_DSTOPTS]) + frame[21:54] + chain + frame[54:]


def client():
    c = connect(B6, 7102)
    c.sendall(b"hello")
    read_all(c, 100)
    c.close()


def relay(ready):
    sockets = []
    for interface in ("to-a", "to-b"):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        s.bind((interface, 0x0003))
        sockets.append(s)
    a, b = sockets
    ready.set()
    while True:
        for s in select.select(sockets, [], [])[0]:
            frame, address = s.recvfrom(65536)
            if address[2] == PACKET_OUTGOING:
                continue
            if s is b:
                a.send(frame)
            else:
                b.send(stuffed(frame, 8))


def play(lab):
    wire(lab)
    ready = Signal()
    between = lab.actor("r", "fld-relay", relay, ready)
    ready.wait()
    lab.watch("b")
    serving = lab.server("b", "fld-srv", server, 7102)
    lab.actor("a", "fld-cli", client).result()
    serving.result()
    until(lambda: not lab.sockets("b", "sport = :7102"), 5, "the last ACK")
    between.kill()


expect = {"b": view(life(local=":7102", outcome="completed", process="fld-srv", tx=100, rx=5, wire__complete=False, may={"bytes-disagree": "likely"}))}
