# SPDX-License-Identifier: Apache-2.0
"""A policer on arrival drops what comes too fast (nft limit rate over ... drop): a cloud's or a provider's limit, here in the own firewall.

Reported: "throughput collapses at exactly 1 MB/s", policers that look like loss.
Right: the receiving machine's firewall dropped segments, and the sender sent them again; all bytes arrive.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7527))
    got = len(read_all(c))
    c.close()
    return got


def client():
    c = connect(B, 7527)
    c.sendall(b"x" * 600_000)
    c.close()


def play(lab):
    lab.pair()
    lab.no_offload("a", "to-b")
    lab.no_offload("b", "to-a")
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 7527 limit rate over 400 kbytes/second burst 30 kbytes drop; }\n}")
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7527)
    lab.actor("a", "fld-cli", client)
    lab.must(served.result() == 600_000, "bytes are missing")


expect = {
    "a": view(life(f"{B}:7527", "completed", process="fld-cli", closed_by="local", tx=600_000, findings={"retransmission": "certain"}, may={"time-wait": "certain"},
                   never=["never left"])),
    "b": view(life(local=":7527", outcome="completed", process="fld-srv", closed_by="peer", rx=600_000, findings={"rx-dropped": "certain"}, may={"retransmission": "certain", "out-of-window": "certain"})),
}
