# SPDX-License-Identifier: Apache-2.0
"""A receiver's window is closed, and then its host vanishes; the sender has a TCP_USER_TIMEOUT of a minute. tcp_retries2 ends it in five seconds.

Reported: gRPC's and haproxy's tcp-ut beside a low tcp_retries2; TCP_USER_TIMEOUT is no lower bound for probes into a closed window (tcp_probe_timer()).
Right: retransmit-timeout; the user timeout was not over. The RST that comes when the receiver's host is back finds no socket here.
"""
from field import *

need("nft")


def server():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("", 7483))
    listener.listen(4)
    c = accepted(listener)
    time.sleep(9)
    c.close()


def client():
    c = connect(B, 7483)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000)
    c.setblocking(False)
    try:
        while True:
            c.send(b"x" * 65536)
    except BlockingIOError:
        pass
    c.settimeout(20)
    return error_of(c.recv, 5)


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_retries2", 3)
    lab.watch("a")
    lab.watch("a", "--kernel", "off", name="wire")
    lab.server("b", "fld-srv", server, 7483)
    sent = lab.actor("a", "fld-cli", client)
    time.sleep(1.2)
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 7483 drop; }\n}")
    lab.must(sent.result() == errno.ETIMEDOUT, "the kernel did not give up")


found = {"zero-window": "certain"}
expect = {"a": view(life(f"{B}:7483", "retransmit-timeout", process="fld-cli", errno=errno.ETIMEDOUT, findings=found, may={"retransmission": "certain"},
                         never=["TCP_USER_TIMEOUT"]), may={"stray-segment": "certain"}),
          "wire": view(life(f"{B}:7483", "unknown", findings=found, may={"retransmission": "likely"}), may={"stray-segment": "certain"})}
