# SPDX-License-Identifier: Apache-2.0
"""Two links have the same pair of link-local addresses, and a connection with the same ports on each.

Reported: container hosts; every fe80::1 gateway.
Right: two connections, each with the segments of its own link.
"""
from field import *


def server(interface, answer):
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, 25, interface.encode())  # SO_BINDTODEVICE
    s.bind(("fe80::2", 7066, 0, socket.if_nametoindex(interface)))
    s.listen(4)
    c = accepted(s)
    c.sendall(answer)
    c.recv(1)
    c.close()


def client(interface, size):
    scope = socket.if_nametoindex(interface)
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    s.settimeout(10)
    s.bind(("fe80::1", 5066, 0, scope))
    s.connect(("fe80::2", 7066, 0, scope))
    read_all(s, size)
    time.sleep(0.3)
    s.close()


def play(lab):
    lab.netns("a", "b", "c")
    lab.link("a", "fe80::1/64", "b", "fe80::2/64")
    lab.link("a", "fe80::1/64", "c", "fe80::2/64")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7066, "to-a", b"x" * 10)
    lab.server("c", "fld-srv", server, 7066, "to-a", b"x" * 1000)
    first = lab.actor("a", "fld-first", client, "to-b", 10)
    until(lambda: lab.sockets("a", "state established dport = :7066"), 5, "the first connection")
    lab.actor("a", "fld-second", client, "to-c", 1000).result()
    first.result()


expect = {"a": view(life("[fe80::2]:7066", "completed", process="fld-first", rx=10, wire__rx_bytes=10, wire__complete=True, retransmits=0),
                    life("[fe80::2]:7066", "completed", process="fld-second", rx=1000, wire__rx_bytes=1000, wire__complete=True, retransmits=0)),
          "b": view(life(local="[fe80::2]:7066", outcome="completed", process="fld-srv", tx=10, wire__tx_bytes=10, wire__complete=True))}
