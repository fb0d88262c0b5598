# SPDX-License-Identifier: Apache-2.0
"""A masquerading gateway whose conntrack forgets an idle connection: the client's next segment leaves with another port, and the server refuses it.

Reported: every "connection reset by peer" after some idle minutes behind NAT.
Right: one life, reset by the server, with the newest translation; nothing stayed here.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7035))
    c.sendall(read_all(c, 5))
    time.sleep(3)
    c.close()


def client():
    c = socket.socket()
    c.connect((B, 7035))
    c.sendall(b"hello")
    read_all(c, 5)
    time.sleep(2.5)
    c.sendall(b"more")
    try:
        return c.recv(9)
    except ConnectionResetError:
        return "reset"


def play(lab):
    lab.routed()
    lab.nft("r", 'table ip n { chain p { type nat hook postrouting priority 100; oifname "to-b" masquerade random; }\n}')
    lab.shell("r", "sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=1")
    lab.watch("r", "--forwarded")
    lab.server("b", "fld-srv", server, 7035)
    lab.must(lab.actor("a", "fld-cli", client).result() == "reset", "no reset")


expect = {"r": view(life(f"{B}:7035", "reset-by-peer", local="10.8.0.1", forwarded__joined=True, nat__local__ip="10.9.0.254", tx=9, rx=5,
                         findings={"reset-origin": "likely"}, forwarded__lost_to_server=0, forwarded__lost_to_client=0))}
