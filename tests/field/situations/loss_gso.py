# SPDX-License-Identifier: Apache-2.0
"""Loss of whole GSO packets: segmentation offload is on, a router drops one packet of fifty, of up to 64 KiB.

Reported: counts in different units (sends, buffers, segments); nstat counts segments.
Right: retransmissions as nstat counts them, to the segment.
"""
from field import *
from loss import SENT, segments_sent_again

need("nginx", "curl", "nft", "nstat")


def play(lab):
    lab.routed()
    lab.file("big", "x" * 6_000_000)
    nginx(lab, "b", 8080, f"server {{ listen 8080; location / {{ root {lab.folder}; }} }}")
    lab.nft("r", "table ip f { chain f { type filter hook forward priority 0; tcp sport 8080 meta length > 1000 numgen inc mod 25 == 3 drop; }\n}")
    lab.watch("b")
    lab.must(curl(lab, "a", "-o", "/dev/null", f"http://{B}:8080/big")[0] == 0, "curl failed")
    SENT["TcpRetransSegs"] = lab.nstat("b", "TcpRetransSegs")
    lab.must(SENT["TcpRetransSegs"] > 10, f"too little was lost: {SENT}")


expect = {"b": view(life(local=":8080", outcome="completed", process="nginx", tx=lambda n: n > 6_000_000, retransmits=segments_sent_again(1.0),
                         findings={"retransmission": "certain"}, may={"zero-window": "certain"}))}
