# SPDX-License-Identifier: Apache-2.0
"""A published address whose server is on the client's own network: the answer goes to the client directly, past NAT.

Reported: kubernetes 122174 (ClusterIP, SYN-ACK answered by a RST), and every port forwarding that is tried from inside.
Right: the connection to the published address was never answered by it: its SYN left for the server, translated. The client's RST refuses a SYN-ACK of
addresses that it had not asked.
"""
from field import *

need("nft")


def client():
    return error_of(connect, "10.8.0.254", 80, None, 1.5)


def play(lab):
    lab.netns("a", "r", "b", "s")
    for place, address in (("a", "10.8.0.1"), ("b", "10.8.0.2")):
        lab.link(place, f"{address}/24", "s", [])
    lab.link("r", "10.8.0.254/24", "s", [])
    lab.bridge("s", "to-a", "to-b", "to-r")
    lab.sysctl("r", "net.ipv4.ip_forward", 1)
    for name in ("all", "default", "to-s"):
        lab.sysctl("r", f"net.ipv4.conf.{name}.send_redirects", 0)
    lab.nft("r", "table ip n { chain in { type nat hook prerouting priority -100; ip daddr 10.8.0.254 tcp dport 80 dnat to 10.8.0.2:7073; }; }")
    lab.server("b", "fld-srv", listen_only, 7073)
    lab.watch("r", "--forwarded")
    lab.watch("s", "--forwarded", name="switch")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ETIMEDOUT, "it had an answer")


def listen_only():
    s = listen(7073)
    s.settimeout(3)
    error_of(s.accept)


expect = {
    "r": view(life("10.8.0.254:80", "open", local="10.8.0.1", nat__remote__ip="10.8.0.2", rx=0, may={"retransmission": "likely"}, forwarded__lost_to_server=0,
                   forwarded__joined=True, never=["ended it with a RST"])),
    "switch": view(others=("open", "refused", "reset-by-local", "reset-by-peer", "unknown"), may={"retransmission": "likely", "reset-origin": "likely",
                                                                                               "asymmetric-route": "likely"})}
