# SPDX-License-Identifier: Apache-2.0
"""A port is redirected to 127.0.0.1 (DNAT), without route_localnet: the routing refuses each SYN behind NAT.

Reported: port forwarding to a service that listens on localhost only: "iptables shows hits, the service never sees anything".
Right: no connection; the SYN for the port arrived, was for 127.0.0.1 by NAT, and the routing refused it. The client: no answer.
"""
from field import *

need("nft")


def server(done):
    listener = listen(7258, "127.0.0.1")  # noqa: kept open
    done.wait()


def client():
    return error_of(connect, B, 7257, None, 1.5)


def play(lab):
    lab.pair()
    done = Signal()
    lab.server("b", "fld-srv", server, 7258, done)
    lab.nft("b", "table ip n { chain p { type nat hook prerouting priority -100; tcp dport 7257 dnat to 127.0.0.1:7258; }\n}")
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "the SYN was answered")
    done.set()


expect = {
    "a": view(life(f"{B}:7257", ("connect-cancelled", "connect-timeout"), process="fld-cli", may={"retransmission": "certain"})),
    "b": view(findings={"rx-dropped": "certain"},
              events=({"type": "finding", "rule": "rx-dropped", "conn": None,
                       "text": lambda text: "2 SYNs within 1.0" in text and f" s from {A}" in text and f"to {B}:7257 arrived, was for 127.0.0.1:7258 by NAT" in text},)),
}
