# SPDX-License-Identifier: Apache-2.0
"""A program of this host sends a RST in the name of a connection's socket, through a raw socket of TCP (tcpkill, scapy, an IDS in prevention mode).

Reported: "(no socket: TCP itself)" beside that RST, although TCP had sent none.
Right: no socket of a connection sent it. The peer is reset; the socket here learns of it when it sends the next time.
"""
from forged import *


def server(port, go):
    c = accepted(listen(port))
    c.sendall(read_all(c, 5))
    go.wait()
    error_of(c.send, b"still here")
    time.sleep(0.2)
    c.close()


def forged(source, target, seq, back):
    forge.send(forge.segment(target, source, back, seq, forge.RST | forge.ACK), source[0], socket.IPPROTO_TCP)
    time.sleep(0.1)


def play(lab):
    talking = play_forged(lab, 7113, forged, server, reset_client, watched="b")
    lab.must(talking.result() == errno.ECONNRESET, "no reset")


expect = {"b": view(life(local=":7113", outcome="reset-by-peer", process="fld-srv", rx=5, findings={"reset-origin": "certain"}),
                    events=[{"type": "segment", "flags": "RST,ACK", "socket": "none"}], never=["TCP itself"])}
