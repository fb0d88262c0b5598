# SPDX-License-Identifier: Apache-2.0
"""The neighbour's hardware address is wrong for a second (a stale ARP entry, a fail-over without gratuitous ARP): frames leave, and their host does not take them.

Reported: keepalived and VRRP fail-overs; "arp -d fixes it".
Right: at the sender they left and were not answered. At the host the frames arrived for another one's address: IP never had them.
"""
from field import *
from flap import server, client


def play(lab):
    lab.pair()
    down, isdown = Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7669, 7669, socket.AF_INET)
    talking = lab.actor("a", "fld-cli", client, B, 7669, down, isdown)
    down.wait()
    lab.ip("a", "neigh replace 10.9.0.2 lladdr 02:00:00:00:00:77 dev to-b nud permanent")
    isdown.set()
    time.sleep(1)
    lab.ip("a", "neigh del 10.9.0.2 dev to-b")
    talking.result()


expect = {
    "a": view(life(f"{B}:7669", "completed", process="fld-cli", closed_by="local", tx=10, rx=10, findings={"retransmission": "certain"}, never=["did not leave", "never left"])),
    "b": view(life(local=":7669", outcome="completed", process="fld-srv", closed_by="peer", tx=10, rx=10, may={"retransmission": "likely", "rx-dropped": "certain"}, never=["spurious"])),
}
