# SPDX-License-Identifier: Apache-2.0
"""A router cuts segments into IP fragments: the sender does not set DF (ip_no_pmtu_disc), and the next link is narrow.

Reported: cilium 10076, loxilb 16, VPN gateways that clear DF: what looks at ports alone loses the second piece of each packet.
Right: completed, all bytes, nothing sent again; where a hook had pieces, the wire's numbers are not called complete, and disagree with nothing.
"""
from field import *


def server():
    c = accepted(listen(7209))
    data = read_all(c, 40_000)
    c.sendall(b"thanks")
    read_all(c)
    c.close()
    return len(data)


def client():
    c = connect(B, 7209)
    for n in range(20):
        c.sendall(b"x" * 2000)
    read_all(c, 6)
    c.close()


def play(lab):
    lab.routed()
    lab.no_offload("a", "to-r")
    lab.no_offload("r", "to-a", "to-b")
    lab.sysctl("a", "net.ipv4.ip_no_pmtu_disc", 1)
    lab.ip("r", "link set to-b mtu 1000")
    for place in ("a", "r", "b"):
        lab.watch(place, *(["--forwarded"] if place == "r" else []))
    serving = lab.server("b", "fld-srv", server, 7209)
    lab.actor("a", "fld-cli", client).result()
    lab.must(serving.result() == 40_000, "bytes are missing")
    pieces = lab.nstat("r", "IpFragCreates")
    lab.must(pieces > 20, f"only {pieces} fragments")


expect = {
    "a": view(life(f"{B}:7209", "completed", process="fld-cli", tx=40_000, rx=6, retransmits=0)),
    "r": view(life(f"{B}:7209", "completed", tx=40_000, rx=6, retransmits=0, retransmits_in=0, forwarded__joined=True, forwarded__lost_to_server=0)),
    "b": view(life(local=":7209", outcome="completed", process="fld-srv", tx=6, rx=40_000, retransmits_in=0, wire__complete=False)),
}
