# SPDX-License-Identifier: Apache-2.0
"""3 MB through a router that drops three per cent of what matches."""
from field import *

need("nginx", "node", "curl", "nft", "nstat")
SENT = {}  # nstat's counter at the sender
SERVER = "require('http').createServer((q, s) => { q.resume(); q.on('end', () => s.end('ok')); }).listen(8080)"


def segments_sent_again(share):
    """At least this share of what nstat counted at the sender, and no more than all of it."""
    def counted(n):
        counted.__doc__ = f"{share:.0%} to all of {SENT}"
        return int(SENT["TcpRetransSegs"] * share) <= n <= SENT["TcpRetransSegs"]
    return counted


def play_transfer(lab, match, upload):
    lab.routed()
    for place, interfaces in (("a", ["to-r"]), ("r", ["to-a", "to-b"]), ("b", ["to-r"])):
        lab.no_offload(place, *interfaces)
    lab.file("big", "x" * 3_000_000)
    if upload:
        node(lab, "b", SERVER, 8080)
    else:
        nginx(lab, "b", 8080, f"server {{ listen 8080; location / {{ root {lab.folder}; }} }}")
    lab.nft("r", f"table ip f {{ chain f {{ type filter hook forward priority 0; {match} meta length > 1000 numgen random mod 100 < 3 drop; }}\n}}")
    lab.watch("a")
    lab.watch("b")
    data = ["-H", "Expect:", "--data-binary", f"@{lab.folder}/big"] if upload else []
    lab.must(curl(lab, "a", "-o", "/dev/null", *data, f"http://{B}:8080/big")[0] == 0, "curl failed")
    SENT["TcpRetransSegs"] = lab.nstat("a" if upload else "b", "TcpRetransSegs")
    lab.must(SENT["TcpRetransSegs"] > 10, f"too little was lost: {SENT}")
