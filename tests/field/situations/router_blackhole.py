# SPDX-License-Identifier: Apache-2.0
"""A router on the path gets a blackhole route to the server for a second; the connection lives on.

Reported: FRR 1388, Calico felix 210: traffic that falls into a blackhole route while routes are set anew.
Right: segments left and nobody answered for a while; at the router they were dropped for want of a route.
"""
from field import *
from flap import across_router, routed_flap


def play(lab):
    routed_flap(lab, 7603, "blackhole")


expect = across_router(f"{B}:7603", never=["did not leave", "never left", "ICMP"])
