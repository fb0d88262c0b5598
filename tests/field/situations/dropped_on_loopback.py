# SPDX-License-Identifier: Apache-2.0
"""A local client asks ports of this machine where nobody listens, and the firewall drops, or refuses, its SYNs where they arrive.

Reported: strict input rules that forget "iif lo accept": local health checks and databases that time out.
Right: the connection that sent them says so, once: dropped here, by that rule; the RST is the firewall's.
"""
from field import *

need("nft")


def client():
    return [error_of(connect, "127.0.0.1", port, None, 1.5) for port in (7262, 7263)]


def play(lab):
    lab.netns("a")
    lab.nft("a", "table ip f { chain i { type filter hook input priority 0; tcp dport 7262 drop; tcp dport 7263 reject with tcp reset; }\n}")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == [errno.ETIMEDOUT, errno.ECONNREFUSED], "the rules did not behave as arranged")


expect = {"a": view(
    life("127.0.0.1:7262", "connect-cancelled", process="fld-cli", findings={"rx-dropped": "certain"}, may={"retransmission": "certain"},
         says=["2 SYNs arrived at 127.0.0.1:7262", "dropped the SYN where it arrived"]),
    life("127.0.0.1:7263", "refused", process="fld-cli", closed_by="local", errno=errno.ECONNREFUSED,
         findings={"rx-dropped": "certain", "reset-origin": "certain"}, says=["firewall"], never=["something on the way", "nothing listens"]))}
