# SPDX-License-Identifier: Apache-2.0
"""A server answers a SYN by a SYN of its own (the "split handshake"): the client's kernel goes the way of a simultaneous open.

Right: the client opened this connection; nothing was sent again, nothing refused.
"""
from field import *
import forge


def raw_server(up, port):
    sniffer = forge.Sniffer("to-a")
    sniffer.socket.settimeout(5)
    up.set()
    while True:
        frame = sniffer.socket.recv(65536)
        sniffer.take(frame)
        found = [(k, v) for k, v in sniffer.seen.items() if k[1] == ("10.9.0.9", port)]
        if found:
            break
    (source, target), (seq, _, _) = found[0]
    forge.send(forge.segment(target, source, 5000, 0, forge.SYN, options=b"\2\4\5\xb4"), source[0])
    sniffer.socket.settimeout(0.05)
    time.sleep(0.1)
    forge.send(forge.segment(target, source, 5001, seq, forge.ACK), source[0])
    time.sleep(0.3)
    _, _, seq, _ = sniffer.last(port)
    forge.send(forge.segment(target, source, 5001, seq, forge.ACK, b"welcome"), source[0])
    time.sleep(0.2)
    forge.send(forge.segment(target, source, 5008, seq, forge.ACK | forge.FIN), source[0])
    time.sleep(0.3)
    _, _, seq, _ = sniffer.last(port)
    forge.send(forge.segment(target, source, 5009, seq, forge.ACK), source[0])


def client():
    c = connect("10.9.0.9", 7815)
    c.sendall(b"hello")
    data = read_all(c)
    c.close()
    time.sleep(0.4)
    return data


def play(lab):
    lab.pair()
    mac = lab.shell("b", "cat /sys/class/net/to-a/address").strip()
    lab.shell("a", f"ip neigh replace 10.9.0.9 lladdr {mac} dev to-b nud permanent")
    up = Signal()
    lab.watch("a")
    lab.actor("b", "fld-raw", raw_server, up, 7815)
    up.wait()
    lab.must(lab.actor("a", "fld-cli", client).result() == b"welcome", "no connection")


expect = {"a": view(life("10.9.0.9:7815", "completed", process="fld-cli", closed_by="peer", tx=5, rx=7, role="active",
                         may={"retransmission": "certain"}, never=["not seen"]))}
