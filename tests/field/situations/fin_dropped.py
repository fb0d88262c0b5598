# SPDX-License-Identifier: Apache-2.0
"""The client's own firewall drops the peer's FIN: one connection was closed with close(), the other one with shutdown() only.

Reported: strict conntrack rules ("ct state invalid drop") behind asymmetric routes; hosts whose conntrack table was flushed.
Right: TCP never got that FIN. Neither connection is completed, both are still open, and of neither peer it can be said that its FIN has not come.
"""
from field import *

need("nft")
DROP = "table inet f { chain i { type filter hook input priority 0; tcp sport 7503-7506 tcp flags & fin == fin drop; }\n}"


def server(port):
    c = accepted(listen(port, "::", family=socket.AF_INET6))
    read_all(c)
    time.sleep(0.5)
    c.close()


def client(address, port, half):
    c = connect(address, port)
    c.sendall(b"bye")
    if half:
        c.shutdown(socket.SHUT_WR)
        time.sleep(4)
    else:
        c.close()
        time.sleep(3)


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_fin_timeout", 60)
    lab.nft("a", DROP)
    lab.watch("a", "--stuck-after", "1.5")
    for port in (7503, 7504, 7505, 7506):
        lab.server("b", "fld-srv", server, port, port)
    clients = [lab.actor("a", "fld-cli", client, address, port, half) for address, port, half in
               ((B, 7503, False), (B6, 7504, False), (B, 7505, True), (B6, 7506, True))]
    for one in clients[:2]:
        one.result()
    time.sleep(0.2)


def dropped(address, port):
    return life(f"{address}:{port}", "open", process="fld-cli", closed_by="local", tx=3, findings={"rx-dropped": "certain"}, may={"retransmission": "certain"})


expect = {"a": view(dropped(B, 7503), dropped(f"[{B6}]", 7504), dropped(B, 7505), dropped(f"[{B6}]", 7506))}
