# SPDX-License-Identifier: Apache-2.0
"""curl is killed while its SYN is unanswered.

Reported: timeouts of supervisors (systemd, Kubernetes probes) kill the client.
Right: the process died before an answer came. The kernel did not give up, and nobody refused.
"""
from field import *

need("curl", "nft")


def play(lab):
    lab.pair()
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 8080 drop; }\n}")
    lab.watch("a")
    asking = lab.program("a", "curl", "-sS", f"http://{B}:8080/")
    until(lambda: lab.sockets("a", "state syn-sent dport = :8080"), 10, "SYN_SENT")
    asking.kill()
    lab.output(asking)


expect = {"a": view(life(f"{B}:8080", ("connect-cancelled", "aborted"), process="curl", tx=0, rx=0, may={"retransmission": "certain"}, says=["signal 9|SIGKILL"],
                         never=["ETIMEDOUT", "refused"]))}
