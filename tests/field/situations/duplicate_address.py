# SPDX-License-Identifier: Apache-2.0
"""Two servers have the same address (a cloned machine, a duplicate IP), behind a switch that floods: both answer each SYN.

Reported: cloned VMs, NLB in multicast mode, "connections reset at random since last night".
Right: two SYN-ACKs with different numbers; the second server refuses the ACK that is not for its own SYN-ACK, by a RST that the client takes.
"""
from field import *


def server(go):
    s = listen(7850)
    s.settimeout(3)
    try:
        c, _ = s.accept()
        c.settimeout(2)
        error_of(c.recv, 5)
        c.close()
    except OSError:
        pass


def client():
    c = socket.socket()
    c.settimeout(3)
    failed = error_of(c.connect, (B, 7850))
    time.sleep(0.2)
    failed = failed or error_of(c.sendall, b"hello") or error_of(c.recv, 5)
    c.close()
    return failed


def play(lab):
    lab.netns("a", "sw", "b", "c")
    for place, address in (("a", "10.9.0.1/24"), ("b", "10.9.0.2/24"), ("c", "10.9.0.2/24")):
        lab.link(place, address, "sw", [])
    lab.ip("c", "link set to-sw down")
    lab.bridge("sw", "to-a", "to-b", "to-c")
    lab.ip("sw", "link set br0 type bridge ageing_time 0")
    mac = lab.shell("b", "cat /sys/class/net/to-sw/address").strip()
    lab.ip("c", "link set to-sw down")
    lab.ip("c", f"link set to-sw address {mac}")
    lab.ip("c", "link set to-sw up")
    for port in ("to-a", "to-b", "to-c"):
        lab.shell("sw", f"bridge link set dev {port} learning off")
    lab.shell("a", f"ip neigh replace {B} lladdr {mac} dev to-sw nud permanent")
    for place in "abc":
        lab.watch(place)
    lab.server("b", "fld-srv", server, 7850, None)
    lab.server("c", "fld-twin", server, 7850, None)
    lab.actor("a", "fld-cli", client).result()


expect = {
    "a": view(life(f"{B}:7850", ("reset-by-peer", "reset-by-local", "completed"), process="fld-cli",
                   may={"reset-origin": "likely", "out-of-window": "certain"}, says=["Another SYN-ACK"], never=["SYN-ACK came in again"]),
                   may={"stray-segment": "certain"}),
    "b": view(life(local=":7850", may={"reset-origin": "certain", "retransmission": "certain"})),
    "c": view(life(local=":7850", may={"reset-origin": "certain", "retransmission": "certain"})),
}
