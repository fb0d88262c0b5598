# SPDX-License-Identifier: Apache-2.0
"""curl, Node and redis-cli connect to a port where nobody listens.

Reported: the commonest of all failures; each refused blocking connect() was called an ICMP message.
Right: refused by a RST of the peer. No ICMP message, nothing half-open.
"""
from field import *

need("curl", "node", "redis-cli")


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.must(curl(lab, "a", f"http://{B}:81/")[0] == 7, "curl was not refused")
    lab.must(curl(lab, "a", f"http://[{B6}]:81/")[0] == 7, "curl was not refused")
    lab.output(node(lab, "a", f"require('net').connect(81, '{B}').on('error', e => console.log(e.code))"))
    lab.output(lab.program("a", "redis-cli", "-h", B, "-p", 81, "ping"))


expect = {"a": view(*(life(f"{to}:81", "refused", process=name, closed_by="peer", tx=0, rx=0, may={"reset-origin": "certain"}, errno=errno.ECONNREFUSED)
                      for name, to in (("curl", B), ("curl", f"[{B6}]"), ("node", B), ("redis-cli", B), ("redis-cli", B))),  # redis-cli tries twice
                    never=["ICMP", "half-open"])}
