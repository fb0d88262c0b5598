# SPDX-License-Identifier: Apache-2.0
"""MPTCP over two links: an address for a second subflow at each end."""
from field import *


def mp_listen(port):
    return listen(port, protocol=IPPROTO_MPTCP)


def mp_connect(port):
    c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    c.settimeout(20)
    c.connect((B, port))
    return c


def two_links(lab):
    lab.pair()
    lab.link("a", "10.9.1.1/24", "b", "10.9.1.2/24", number="2")
    for place in "ab":
        lab.shell(place, "ip mptcp limits set subflow 2 add_addr_accepted 2")
