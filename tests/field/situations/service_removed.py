# SPDX-License-Identifier: Apache-2.0
"""A service's translation is removed, and its conntrack entries deleted, while a client of it is connected (kube-proxy, docker).

Reported: kubernetes 81308, moby: connections that hang until they time out after their service was removed.
Right: what the client sends from then on goes to the service's address untranslated, and nobody answers it. It left this machine.
"""
from field import *
from cut_off import play_cut_off

need("nft", "conntrack")


def play(lab):
    lab.pair()
    lab.ip("a", f"route add default via {B}")
    lab.nft("a", f"table ip n {{ chain o {{ type nat hook output priority -100; ip daddr 10.96.0.1 tcp dport 7613 dnat to {B}; }}\n}}")
    lab.nft("b", "table ip f { chain i { type filter hook prerouting priority -300; ip daddr 10.96.0.1 drop; }\n}")
    gone = "nft delete table ip n; conntrack -D -p tcp --dport 7613 >/dev/null 2>&1"
    play_cut_off(lab, 7613, lambda: lab.shell("a", gone, check=False), (errno.ETIMEDOUT,), host="10.96.0.1")


expect = {"a": view(life("10.96.0.1:7613", ("user-timeout", "retransmit-timeout"), process="fld-cli", errno=errno.ETIMEDOUT, rx=5, findings={"retransmission": "certain"},
                         may={"half-open": "likely", "path-dead": "likely"}, never=["did not leave", "never left"]))}
