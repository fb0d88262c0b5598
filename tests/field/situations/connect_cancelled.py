# SPDX-License-Identifier: Apache-2.0
"""curl gives up a connection that nobody answers (--connect-timeout).

Reported: curl's exit code 28; happy eyeballs cancels like this all day.
Right: the process closed before an answer came. It was not the kernel that timed out.
"""
from field import *

need("curl", "nft")


def play(lab):
    lab.pair()
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 8080 drop; }\n}")
    lab.watch("a")
    lab.must(curl(lab, "a", "--connect-timeout", "1.5", f"http://{B}:8080/")[0] == 28, "it did not time out")


expect = {"a": view(life(f"{B}:8080", "connect-cancelled", process="curl", tx=0, rx=0, may={"retransmission": "certain"}, never=["ETIMEDOUT"]))}
