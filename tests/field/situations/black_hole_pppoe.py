# SPDX-License-Identifier: Apache-2.0
"""curl uploads over a PPPoE link (MTU 1492) whose ICMP messages are filtered: only 8 bytes too many.

Reported: PPPoE and VPN access lines without MSS clamping: logging in works, uploads and TLS certificates hang.
Right: the first full-size segments are never acknowledged, smaller ones were: path-mtu-black-hole, likely; the path is not dead.
"""
from field import *

need("nginx", "curl", "nft", "ethtool")


def play(lab):
    lab.routed()
    lab.ip("r", "link set to-b mtu 1492")
    for place, interfaces in (("a", ["to-r"]), ("r", ["to-a", "to-b"]), ("b", ["to-r"])):
        lab.no_offload(place, *interfaces)
    lab.nft("r", "table ip f { chain o { type filter hook output priority 0; ip protocol icmp drop; }\n}")
    lab.file("big", "x" * 60_000)
    lab.file("small", "x" * 100)
    nginx(lab, "b", 8080, f"server {{ listen 8080; location / {{ root {lab.folder}; }} }}")
    lab.watch("a")
    code, _ = curl(lab, "a", "-m", 4, f"http://{B}:8080/small", "-o", "/dev/null", "--next", "-m", 4, "-sS", "--noproxy", "*", "-H", "Expect:", "--data-binary", f"@{lab.folder}/big",
                   f"http://{B}:8080/big", "-o", "/dev/null")
    lab.must(code == 28, f"curl ended with {code}")


expect = {"a": view(life(f"{B}:8080", ("open", "reset-by-local", "aborted", "reset-by-peer"), process="curl",
                         findings={"path-mtu-black-hole": "likely", "retransmission": "certain"}, never=["idle for"]))}
