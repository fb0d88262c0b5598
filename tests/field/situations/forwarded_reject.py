# SPDX-License-Identifier: Apache-2.0
"""A router refuses a connection by a RST in the server's name; another one is refused by the server itself.

Reported: every "connection refused" behind a firewall with reject-with tcp-reset.
Right: the first RST was made by the router (it came in nowhere), and what it answers never left; the second came from the server's side.
"""
from field import *

need("nft")


def client(port):
    return error_of(connect, B, port)


def play(lab):
    lab.routed()
    lab.nft("r", "table ip f { chain c { type filter hook forward priority 0; tcp dport 7053 reject with tcp reset; }; }")
    lab.watch("r", "--forwarded")
    for port in (7053, 7054):
        lab.must(lab.actor("a", "fld-cli", client, port).result() == errno.ECONNREFUSED, "it was not refused")


expect = {"r": view(
    life(f"{B}:7053", "refused", closed_by="none", findings={"reset-origin": "certain", "forward-dropped": "certain"}, says=["this machine made the RST"]),
    life(f"{B}:7054", "refused", closed_by="peer", findings={"reset-origin": "likely"}, never=["this machine made"], forwarded__lost_to_server=0))}
