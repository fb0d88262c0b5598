# SPDX-License-Identifier: Apache-2.0
"""A gateway translates a published port to a backend whose port is closed; another one leads to a host that is gone.

Reported: moby 32048, kube-proxy without ready endpoints.
Right: the client of the first is refused by the backend's kernel, through the gateway; that of the second is told "host unreachable" by the gateway.
"""
from field import *

need("nft")


def client(port):
    return error_of(connect, "10.8.0.254", port, None, 8)


def play(lab):
    lab.routed()
    lab.nft("r", """table ip n { chain i { type nat hook prerouting priority -100; ip daddr 10.8.0.254 tcp dport 80 dnat to 10.9.0.2:7999; ip daddr 10.8.0.254 tcp dport 81 dnat to 10.9.0.77:80; }
}""")
    lab.watch("a")
    lab.watch("b")
    lab.watch("r", "--forwarded")
    lab.must(lab.actor("a", "fld-cli", client, 80).result() == errno.ECONNREFUSED, "not refused")
    lab.must(lab.actor("a", "fld-cli", client, 81).result() == errno.EHOSTUNREACH, "not unreachable")


expect = {
    "a": view(life("10.8.0.254:80", "refused", process="fld-cli", closed_by="peer", errno=errno.ECONNREFUSED, may={"reset-origin": "likely"}),
              life("10.8.0.254:81", "unreachable", process="fld-cli", errno=errno.EHOSTUNREACH, may={"retransmission": "certain"})),
    "b": view(others=("refused",), findings={}, may={"stray-segment": "certain"}),
    "r": view(life("10.8.0.254:80", "refused", local="10.8.0.1", closed_by="peer", nat__remote__ip=B, findings={"reset-origin": "likely"}),
              life("10.8.0.254:81", "unreachable", local="10.8.0.1", findings={"forward-dropped": "certain"}, may={"retransmission": "likely"},
                   says=["sent by this machine", "did not answer for its address"])),
}
