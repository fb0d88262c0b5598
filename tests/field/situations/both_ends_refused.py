# SPDX-License-Identifier: Apache-2.0
"""Nothing listens on a port of this machine that a local client asks.

Reported: "connection refused" on localhost: the service is not up yet.
Right: this machine's own TCP refused it, for certain: it said so itself; nothing on the way did. One refusal is one finding.
"""
from field import *


def client():
    return error_of(connect, "127.0.0.1", 7105)


def play(lab):
    lab.netns("a")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNREFUSED, "not refused")


expect = {"a": view(life(remote="127.0.0.1:7105", outcome="refused", process="fld-cli", findings={"reset-origin": "certain"},
                         says=["nothing listens on 127.0.0.1:7105"], never=["something on the way"]))}
