# SPDX-License-Identifier: Apache-2.0
"""A server listens, and not for those who ask: on 127.0.0.1 only; on another device (SO_BINDTODEVICE); for IPv6 only (IPV6_V6ONLY).

Reported: the commonest "connection refused" of containers and developers' servers.
Right: refused, and nobody may say that no process listens on that port.
"""
from field import *


def server(ready, done):
    one = listen(7806, "127.0.0.1")
    two = socket.socket()
    two.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    two.bind(("", 7807))
    two.listen(5)
    three = socket.socket(socket.AF_INET6)
    three.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    three.bind(("::", 7808))
    three.listen(5)
    ready.set()
    done.wait()
    return [s.fileno() for s in (one, two, three)]


def client():
    return [error_of(connect, B, port) for port in (7806, 7807, 7808)]


def play(lab):
    lab.pair()
    ready, done = Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    lab.actor("b", "fld-srv", server, ready, done)
    ready.wait()
    lab.must(lab.actor("a", "fld-cli", client).result() == [errno.ECONNREFUSED] * 3, "they were not refused")
    done.set()


never = ["[Nn]o process listens", "[Nn]obody listens", "no listener"]
expect = {
    "a": view(*[life(f"{B}:{port}", "refused", process="fld-cli", never=never, may={"reset-origin": "certain"}) for port in (7806, 7807, 7808)]),
    "b": view(findings={"stray-segment": "certain"}, never=never, others=("refused",)),
}
