# SPDX-License-Identifier: Apache-2.0
"""A process asks for errors of the path at once (IP_RECVERR); a router refuses two segments of its open connection, and lets the next ones pass.

Reported: libtirpc (clnt_vc), measuring tools and QUIC-like libraries that set IP_RECVERR on all their sockets; ip(7).
Right: the process got ECONNREFUSED, and nothing ended: both sides close later. It was no connect() that failed.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7481))
    data = read_all(c)
    c.close()
    return data


def client(read):
    c = connect(B, 7481)
    c.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
    c.sendall(b"abc")
    time.sleep(0.6)
    c.sendall(b"def")
    time.sleep(0.5)
    failed = error_of(c.recv, 5) if read else 0
    time.sleep(1.2)
    if read:
        c.sendall(b"ghi")
    c.close()
    return failed


def play(lab):
    lab.routed()
    lab.watch("a")
    lab.watch("a", "--wire", "none", name="kernel")
    for read in (True, False):
        sent_again = lab.segments_sent_again(["a"])
        served = lab.server("b", "fld-srv", server, 7481)
        asked = lab.actor("a", "fld-cli", client, read)
        time.sleep(0.4)
        lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp dport 7481 reject with icmp port-unreachable; }\n}")
        time.sleep(0.6)
        lab.shell("r", "nft flush ruleset")
        lab.must(asked.result() == (errno.ECONNREFUSED if read else 0), "the error was not reported")
        lab.must(lab.segments_sent_again(["a"]) > sent_again, "the router refused nothing")
        lab.must(served.result() == (b"abcdefghi" if read else b"abcdef"), "something got lost")


lives = [life(f"{B}:7481", "completed", process="fld-cli", closed_by="local", tx=tx, findings={"retransmission": "certain"},
              never=["SYN was answered", r"connect\(\) failed", "gave up"]) for tx in (9, 6)]
expect = {"a": view(*lives), "kernel": view(*lives)}
