# SPDX-License-Identifier: Apache-2.0
"""The own firewall drops every RST that comes in; a client asks a port where nobody listens.

Reported: "iptables --tcp-flags RST RST -j DROP" against forged resets, left behind; connection refused becomes a timeout.
Right: the answer came, and TCP never got it. To a tracer without the kernel it is one connection that was refused, however often its SYN comes again.
"""
from field import *

need("nft")


def client(port, limit):
    return error_of(connect, B, port, None, limit)


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_syn_retries", 1)
    lab.shell("a", "echo 0 > /proc/sys/net/ipv4/tcp_syn_linear_timeouts", check=False)  # since Linux 6.5
    lab.nft("a", "table ip f { chain i { type filter hook input priority 0; tcp sport 7452-7453 tcp flags & rst == rst drop; }\n}")
    lab.watch("a")
    lab.watch("a", "--wire", "none", name="kernel")
    lab.watch("a", "--kernel", "off", name="wire")
    for port, limit in ((7452, 20), (7453, 2)):
        lab.must(lab.actor("a", "fld-cli", client, port, limit).result() == errno.ETIMEDOUT, "connect() did not time out")


findings = {"retransmission": "certain", "rx-dropped": "certain"}
ignored = [life(f"{B}:7452", "connect-ignored", process="fld-cli", errno=errno.ETIMEDOUT, findings=findings, says=("The SYN was answered by a RST, but TCP never took it",)),
           life(f"{B}:7453", "connect-cancelled", process="fld-cli", findings=findings, says=("a RST had come in, but the kernel dropped it",))]
refused = [life(f"{B}:{port}", "refused", closed_by="peer", may={"reset-origin": "likely", "retransmission": "likely"}) for port in (7452, 7453)]
expect = {"a": view(*ignored), "kernel": view(*ignored), "wire": view(*refused)}
