# SPDX-License-Identifier: Apache-2.0
"""A client in a unit whose cgroup program refuses what comes in (IPAddressDeny= of the server's address): each SYN-ACK reaches the interface and no further.

Reported: systemd's IPAddressDeny= "times out although tcpdump shows the SYN-ACK".
Right: the server answered; the client's kernel dropped the answer, and says why.
"""
from bpf_calls import CGROUP_INGRESS, Cgroup
from field import *


def client(cgroup):
    cgroup.join()
    return error_of(connect, B, 7302, None, 3.5)


def server():
    s = listen(7302)
    time.sleep(6)
    s.close()


def play(lab):
    lab.pair()
    cgroup = Cgroup(lab, "deny")
    cgroup.refuse(CGROUP_INGRESS)
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7302)
    lab.must(lab.actor("a", "fld-cli", client, cgroup).result() == errno.ETIMEDOUT, "it was answered")


expect = {"a": view(life(f"{B}:7302", ("connect-ignored", "connect-cancelled"), process="fld-cli", findings={"rx-dropped": "certain"}, may={"retransmission": "certain"},
                         says=["SYN-ACK"], never=["no answer had come", "refused"]), may={"stray-segment": "certain"})}
