# SPDX-License-Identifier: Apache-2.0
"""ECN is agreed on, and a router marks packets instead of dropping them: ECE and CWR fly, nothing is lost.

Reported: DCTCP and CoDel networks; tools that compare flag bytes take ECE and CWR for something else.
Right: a plain download: completed, nothing sent again, no window closed, every segment of the router's hops its own.
"""
from field import *

need("nginx", "curl", "nft")


def play(lab):
    lab.routed()
    for place in "ab":
        lab.sysctl(place, "net.ipv4.tcp_ecn", 1)
    lab.nft("r", """table ip f { chain c { type filter hook forward priority 0; ip ecn ect0 numgen inc mod 50 == 1 ip ecn set ce; }\n}""")
    lab.file("data", "x" * 2_000_000)
    nginx(lab, "b", 8080, f"server {{ listen 8080; location / {{ root {lab.folder}; }} }}")
    for place in ("a", "r", "b"):
        lab.watch(place, *(["--forwarded"] if place == "r" else []))
    code, _ = curl(lab, "a", "-o", "/dev/null", f"http://{B}:8080/data")
    lab.must(code == 0, "no download")
    marks = lab.shell("a", "nstat -az TcpExtTCPDeliveredCE IpExtInCEPkts 2>/dev/null || true")
    lab.must(any(int(line.split()[1]) > 0 for line in marks.splitlines() if "InCEPkts" in line), f"nothing was marked: {marks}")


expect = {
    "a": view(life(f"{B}:8080", "completed", process="curl", rx=lambda n: n > 2_000_000, retransmits=0, retransmits_in=0)),
    "r": view(life(f"{B}:8080", "completed", forwarded__joined=True, rx=lambda n: n > 2_000_000, retransmits=0, retransmits_in=0, forwarded__lost_to_client=0)),
    "b": view(life(local=":8080", outcome="completed", process="nginx", tx=lambda n: n > 2_000_000, retransmits=0, retransmits_in=0)),
}
