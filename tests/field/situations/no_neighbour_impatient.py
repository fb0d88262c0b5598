# SPDX-License-Identifier: Apache-2.0
"""Clients give up (--connect-timeout) before the kernel knows that nobody has the address: after 0.6 s, and after 1.5 s.

Reported: health checks of hosts that were taken off; no_neighbour with a client that waits less long than ARP.
Right: the client gave up, and its SYN never left: the next hop did not answer for its address.
"""
from field import *

need("curl")


def play(lab):
    lab.pair()
    lab.watch("a")
    for address, patience in (("10.9.0.77", "0.6"), ("10.9.0.78", "1.5")):
        lab.must(curl(lab, "a", "--connect-timeout", patience, f"http://{address}:7330/")[0] == 28, "curl did not give up")
    time.sleep(3.6)


said = dict(process="curl", tx=0, closed_by="local", findings={"tx-not-sent": "certain"}, says=["SYNs? never left|never left this machine"], never=["no answer had come"])
expect = {"a": view(life("10.9.0.77:7330", "connect-cancelled", **said), life("10.9.0.78:7330", "connect-cancelled", **said))}
