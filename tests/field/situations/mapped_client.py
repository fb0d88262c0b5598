# SPDX-License-Identifier: Apache-2.0
"""A client with an IPv6 socket talks IPv4 (::ffff:10.9.0.2) to a server that listens on ::. Once it is refused, once it completes, once the server's firewall drops it.

Reported: Go, Java and Node listen on [::] and see clients as ::ffff:...
Right: one connection each, with the IPv4 addresses that are on the wire.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7614, "::", family=socket.AF_INET6))
    c.sendall(read_all(c, 5))
    c.recv(1)
    c.close()


def client(port, timeout=5):
    def go():
        c = socket.socket(socket.AF_INET6)
        c.settimeout(timeout)
        c.connect((f"::ffff:{B}", port))
        c.sendall(b"hello")
        read_all(c, 5)
        c.close()
    return error_of(go)


def play(lab):
    lab.pair()
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 7616 drop; }\n}")
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7614)
    lab.must(lab.actor("a", "fld-cli", client, 7614).result() == 0, "no answer")
    lab.must(lab.actor("a", "fld-cli", client, 7615).result() == errno.ECONNREFUSED, "not refused")
    lab.must(lab.actor("a", "fld-cli", client, 7616, 1.5).result() == errno.ETIMEDOUT, "not dropped")


expect = {
    "a": view(life(f"{B}:7614", "completed", process="fld-cli", role="active", closed_by="local", tx=5, rx=5),
              life(f"{B}:7615", "refused", process="fld-cli", errno=errno.ECONNREFUSED, may={"reset-origin": "likely"}),
              life(f"{B}:7616", "connect-cancelled", process="fld-cli", may={"retransmission": "certain"})),
    "b": view(life(local=f"{B}:7614", outcome="completed", process="fld-srv", role="passive", closed_by="peer", tx=5, rx=5),
              others=("syn-dropped", "refused"), may={"rx-dropped": "certain", "stray-segment": "certain", "retransmission": "certain"}),
}
