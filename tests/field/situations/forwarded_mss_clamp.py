# SPDX-License-Identifier: Apache-2.0
"""A gateway in front of a narrow link clamps the MSS, as on PPPoE.

Reported: openwrt, vyos and others ("some sites do not load"): without it full-size segments are too big for the link.
Right: the MSS of SYN and SYN-ACK as they came in and as they left, both changed to what fits; no finding.
"""
from field import *

need("nginx", "curl", "nft")


def play(lab):
    lab.netns("a", "r", "b")
    lab.link("a", "10.8.0.1/24", "r", "10.8.0.254/24")
    lab.link("b", "10.9.0.2/24", "r", "10.9.0.254/24", 1400)
    lab.ip("b", "link set to-r mtu 1500")
    lab.ip("a", "route add default via 10.8.0.254")
    lab.ip("b", "route add default via 10.9.0.254")
    lab.sysctl("r", "net.ipv4.ip_forward", 1)
    lab.nft("r", "table ip f { chain c { type filter hook forward priority 0; tcp flags syn tcp option maxseg size set rt mtu; }; }")
    lab.file("file", "x" * 100_000)
    nginx(lab, "b", 8080, f"server {{ listen 8080; location / {{ root {lab.folder}; }} }}")
    lab.watch("r", "--forwarded")
    lab.must(curl(lab, "a", "-o", "/dev/null", f"http://{B}:8080/file")[0] == 0, "no answer")


def clamped(found):
    (client, server) = found
    return client["mss_in"] == 1460 and server["mss_out"] == 1360 and server["mss_in"] == 1460


expect = {"r": view(life(f"{B}:8080", "completed", forwarded__hops=clamped, says=["1460 to 1360"]))}
