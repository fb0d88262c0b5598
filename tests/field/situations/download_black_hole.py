# SPDX-License-Identifier: Apache-2.0
"""The path MTU black hole is on the way back: curl waits for an answer whose full segments never arrive.

Reported: moby 12565 seen from the client: "hangs after the request".
Right: at the server: small segments pass, full ones do not. At the client nothing shows but silence: nothing is made of it but that the server
does not close.
"""
from field import *

need("nginx", "curl", "nft", "ethtool")


def play(lab):
    lab.routed()
    lab.ip("r", "link set to-a mtu 1200")
    for place, interfaces in (("a", ["to-r"]), ("r", ["to-a", "to-b"]), ("b", ["to-r"])):
        lab.no_offload(place, *interfaces)
    lab.nft("r", "table ip f { chain o { type filter hook output priority 0; ip protocol icmp drop; }\n}")
    lab.file("big", "x" * 50_000)
    lab.file("small", "x" * 100)
    nginx(lab, "b", 8080, f"server {{ listen 8080; location / {{ root {lab.folder}; }} }}")
    lab.watch("a")
    lab.watch("b")
    code, _ = curl(lab, "a", "-m", 5, f"http://{B}:8080/small", "-o", "/dev/null", f"http://{B}:8080/big", "-o", "/dev/null")
    lab.must(code == 28, f"curl ended with {code}")


expect = {
    "a": view(life(f"{B}:8080", ("completed", "reset-by-local", "fin-wait2-timeout", "open"), process="curl", closed_by="local", may={"peer-not-closing": "certain", "retransmission": "certain"})),
    "b": view(life(local=":8080", process="nginx", findings={"path-mtu-black-hole": "likely", "retransmission": "certain"}, never=["path is dead"])),
}
