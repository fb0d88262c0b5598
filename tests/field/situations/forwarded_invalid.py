# SPDX-License-Identifier: Apache-2.0
"""conntrack_invalid seen at the node with --forwarded: a segment is INVALID for conntrack, is not translated back, and the node's TCP answers it.

Reported: kubernetes 74839, 117924; libnetwork 2275.
Right: the server's segment stayed at the node, whose TCP has no socket for it, and the RST that the server gets was made there, certainly: it came in
nowhere.
"""
import conntrack_invalid as plain
from field import *

need("nft", "conntrack")


def play(lab):
    lab.routed()
    lab.nft("r", "table ip n { chain p { type nat hook postrouting priority 100; oifname \"to-b\" masquerade; }\n}")
    up, ready, go, done = Signal(), Signal(), Signal(), Signal()
    lab.actor("b", "fld-evil", plain.outsider, up, ready, go)
    up.wait()
    lab.watch("r", "--forwarded")
    served = lab.server("b", "fld-srv", plain.server, 7044, go, done)
    lab.actor("a", "fld-cli", plain.client, ready, done)
    lab.must(served.result() in (0, errno.ECONNRESET), "the server's recv() did not end")


expect = {"r": view(life(f"{B}:7044", "reset-by-outsider", local="10.8.0.1", closed_by="none", findings={"reset-origin": "certain", "forward-dropped": "certain"}, says=["this machine made the RST"]),
                  may={"stray-segment": "certain"})}
