# SPDX-License-Identifier: Apache-2.0
"""A forged RST misses the one number that TCP takes, and a challenge ACK answers it. Later the client closes, and data comes for the orphan.

Reported: forged resets in bulk against long connections (BGP), which RFC 5961 answers by a challenge ACK.
Right: that RST ended nothing. It was this side that refused the data (TCP_ABORT_ON_DATA).
"""
from forged import *


def server(port, go):
    c = accepted(listen(port))
    c.sendall(read_all(c, 5))
    go.wait()
    time.sleep(0.8)
    c.sendall(b"too late")
    time.sleep(0.2)
    c.close()


def client(port, ready, go):
    c = connect(B, port)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    time.sleep(0.6)
    c.close()


def forged_rst(source, target, seq, back):
    forge.send(forge.segment(target, source, back + 100, seq, forge.RST | forge.ACK), source[0])
    time.sleep(0.1)


def play(lab):
    # beyond TCP_TIMEWAIT_LEN the orphan keeps its socket for a while, and no mini-socket stands for it
    play_forged(lab, 7521, forged_rst, server, client, prepare=lambda: lab.sysctl("a", "net.ipv4.tcp_fin_timeout", 120)).result()
    time.sleep(0.7)


expect = {"a": view(life(f"{B}:7521", "reset-by-local", process="fld-cli", closed_by="local", tx=5, rx=5, findings={"reset-origin": "certain"},
                         may={"out-of-window": "likely"}))}
