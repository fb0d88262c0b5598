# SPDX-License-Identifier: Apache-2.0
"""The peer's FIN has data with it, or is behind data that was lost, for a process that has closed half a second before.

Reported: curl --max-time; a server whose answer and FIN leave as one segment for a browser that has left the page.
Right: a mini-socket in FIN_WAIT2 takes nothing but the FIN (tcp_timewait_state_process()); it refuses the rest with a RST, and the data is lost.
"""
from field import *

need("nft")
LOST = "table inet f { chain o { type filter hook output priority 0; tcp sport 7493 tcp flags & (psh|fin|syn) == psh drop; }\n}"


def server(port):
    c = accepted(listen(port, "::", family=socket.AF_INET6))
    read_all(c)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, int(port != 7493))  # then data and FIN are one segment
    time.sleep(0.5)
    c.sendall(b"too late")
    c.close()


def client(address, port):
    c = connect(address, port)
    c.sendall(b"bye")
    c.close()


def play(lab):
    lab.pair()
    lab.nft("b", LOST)
    lab.watch("a")
    lab.watch("b")
    peers = ((B, 7491), (B6, 7492), (B, 7493))
    serving = [lab.server("b", "fld-srv", server, port, port) for _, port in peers]
    for address, port in peers:
        lab.actor("a", "fld-cli", client, address, port).result()
    for one in serving:
        one.result()
    time.sleep(0.5)


def refused(address, port):
    return life(f"{address}:{port}", "reset-by-local", process="fld-cli", closed_by="local", tx=3, findings={"reset-origin": "certain"},
                says=["sent data .* after the close"])


def lost(port, **more):
    return life(local=f":{port}", outcome="reset-by-peer", process="fld-srv", closed_by="peer", findings={"reset-origin": "likely", "write-after-peer-closed": "certain"}, **more)


expect = {
    "a": view(refused(B, 7491), refused(f"[{B6}]", 7492), refused(B, 7493)),
    "b": view(lost(7491), lost(7492), lost(7493, may={"tx-not-sent": "certain", "retransmission": "certain"})),
}
