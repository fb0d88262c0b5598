# SPDX-License-Identifier: Apache-2.0
"""A router on the path gets a prohibit route to the server for a second: it answers by ICMP "administratively prohibited"; the connection lives on.

Reported: kube-router, Calico: "No route to host" while routes are set anew.
Right: an open connection survives an ICMP error; what was sent meanwhile was retransmitted. At the router it was dropped for want of a route.
"""
from field import *
from flap import across_router, routed_flap


def play(lab):
    routed_flap(lab, 7603, "prohibit")


expect = across_router(f"{B}:7603", never=["did not leave", "never left"])
