# SPDX-License-Identifier: Apache-2.0
"""A firewall drops every RST that comes in, and a forged one comes for a mini-socket in FIN_WAIT2; the peer closes later in order.

Reported: "iptables --tcp-flags RST RST -j DROP" against forged resets (the Great Firewall's, Comcast's).
Right: TCP never got it, so it ended nothing: the connection is completed by the FIN that comes later.
"""
from forged import *

need("nft")
DROP = "table inet f { chain i { type filter hook input priority 0; tcp flags & rst == rst drop; }\n}"


def server(port, go):
    c = accepted(listen(port))
    c.sendall(read_all(c, 5))
    go.wait()
    time.sleep(0.6)
    c.close()


def client(port, ready, go):
    c = connect(B, port)
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()
    time.sleep(0.2)
    ready.set()
    time.sleep(1.5)


def forged_rst(source, target, seq, back):
    forge.send(forge.segment(target, source, back, seq, forge.RST | forge.ACK), source[0])
    time.sleep(0.1)


def play(lab):
    play_forged(lab, 7532, forged_rst, server, client, prepare=lambda: lab.nft("a", DROP)).result()


expect = {"a": view(life(f"{B}:7532", "completed", process="fld-cli", closed_by="local", tx=5, rx=5,
                         findings={"time-wait": "certain"}, may={"rx-dropped": "certain"}))}
