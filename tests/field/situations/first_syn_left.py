# SPDX-License-Identifier: Apache-2.0
"""An egress rule with a limit lets a connect()'s first SYN pass and drops those that repeat it; nobody answers the first one.

Reported: rate limits against outgoing scans (hashlimit, nft limit) that hit retries.
Right: a timeout. One SYN did leave, so it is not this machine alone that nothing came of.
This machine now and then runs no program for a timer (docs/reliability.md): one of the two drops may be unseen.
"""
from field import *

need("nft")


def client():
    return error_of(connect, B, 7450, None, 20)


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_syn_retries", 2)
    lab.shell("a", "echo 0 > /proc/sys/net/ipv4/tcp_syn_linear_timeouts", check=False)  # since Linux 6.5
    lab.nft("a", "table ip f { chain o { type filter hook output priority 0; tcp dport 7450 limit rate over 1/minute burst 1 packets drop; }\n}")
    lab.nft("b", "table ip f { chain i { type filter hook prerouting priority -300; tcp dport 7450 drop; }\n}")
    lab.watch("a")
    lab.watch("a", "--wire", "none", name="kernel")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "connect() did not time out")


timeout = life(f"{B}:7450", "connect-timeout", process="fld-cli", findings={"retransmission": "certain", "tx-not-sent": "certain"},
               says=("[12] of the SYNs did not leave this machine",))
expect = {"a": view(timeout), "kernel": view(timeout)}
