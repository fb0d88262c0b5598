# SPDX-License-Identifier: Apache-2.0
"""Two thousand SYNs within milliseconds meet two firewall rules; nobody listens there. Others come to closed ports.

Reported: health checks of a whole cluster, scans; "the firewall's counter says 2,000, the monitoring some dozens".
Right: each of the dropped SYNs is counted in a finding, with the rule's reason, and each closed port's answer too.
"""
from field import *
import forge

need("nft")
RULES = """table inet f { chain i { type filter hook input priority 0; tcp dport { 7431, 7432 } drop; }\n}"""


def outsider():
    packets = [forge.segment((A, 20000 + n), (B, 7431 + n % 2), 77777 * n, 0, forge.SYN) for n in range(2000)]
    packets += [forge.segment((A, 20000 + n), (B, 7500), 99999 * n, 0, forge.SYN) for n in range(600)]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for packet in packets:
            raw.sendto(packet, (B, 0))


def play(lab):
    lab.pair()
    lab.nft("b", RULES)
    lab.nft("a", "table ip f { chain i { type filter hook input priority 0; tcp flags & rst == rst drop; }\n}")
    lab.watch("b")
    lab.actor("a", "fld-evil", outsider).result()


def counted(rule, all_of_them):
    """The finding whose count makes the sum complete: they are added up in the order in which they come."""
    seen = {}

    def text(one):
        number = int(one.split()[0]) if " more " in one else 1
        if rule in one:
            seen[one] = number
        return rule in one and sum(seen.values()) == all_of_them
    return {"type": "finding", "conn": None, "text": text}


expect = {"b": view(findings={"rx-dropped": "certain", "stray-segment": "certain"},
                    events=(counted("never reached TCP", 2000), counted("no connection here", 600)), never=["never reached TCP, from"])}
