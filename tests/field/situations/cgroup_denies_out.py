# SPDX-License-Identifier: Apache-2.0
"""A unit with IPAddressDeny=any: a BPF program of its cgroup refuses what leaves. connect() waits for an answer to SYNs that never left.

Reported: systemd 13169, 18387 and the like: "the firewall is off, and the service cannot connect".
Right: no SYN reached an interface: dropped on their way out, by the kernel's own reason, and no host refused anything.
"""
from bpf_calls import CGROUP_EGRESS, Cgroup
from field import *


def client(cgroup):
    cgroup.join()
    return error_of(connect, B, 7301, None, 3.5)


def play(lab):
    lab.pair()
    cgroup = Cgroup(lab, "deny")
    cgroup.refuse(CGROUP_EGRESS)
    lab.watch("a")
    said = lab.actor("a", "fld-cli", client, cgroup).result()
    lab.must(said in (errno.ETIMEDOUT, errno.EPERM), f"connect() said {errno.errorcode.get(said, said)}")


expect = {"a": view(life(f"{B}:7301", ("connect-unsent", "connect-cancelled"), process="fld-cli", findings={"tx-not-sent": "certain"}, may={"retransmission": "certain"},
                         tx=0, never=["no answer had come", "refused"]))}
