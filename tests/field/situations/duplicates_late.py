# SPDX-License-Identifier: Apache-2.0
"""A second path delivers every packet again, 150 ms later.

Reported: SD-WAN routers that send each packet over two links, Wi-Fi retries whose acknowledgement got lost.
Right: nobody sent anything again. The copies have the IP identification of the first packet.
"""
from field import *
from relay import Relay, tcp_payload, wire


def server():
    c = accepted(listen(7098))
    for _ in range(12):
        c.sendall(read_all(c, 5) * 20)
    c.recv(1)
    c.close()


def client():
    c = connect(B, 7098)
    for _ in range(12):
        c.sendall(b"hello")
        read_all(c, 100)
        time.sleep(0.05)
    time.sleep(0.3)
    c.close()


def late(frame):
    late.seen = getattr(late, "seen", 0) + (tcp_payload(frame) > 0)
    return [0, time.monotonic() + 0.15] if tcp_payload(frame) and late.seen > 6 else [0]


def play(lab):
    wire(lab)
    ready = Signal()
    relay = lab.actor("r", "fld-relay", Relay(late).run, ready)
    ready.wait()
    lab.watch("a")
    lab.watch("b")
    serving = lab.server("b", "fld-srv", server, 7098)
    lab.actor("a", "fld-cli", client).result()
    serving.result()
    until(lambda: not lab.sockets("b", "sport = :7098"), 5, "the last ACK")
    time.sleep(0.3)
    relay.kill()


expect = {
    "a": view(life(f"{B}:7098", "completed", process="fld-cli", closed_by="local", tx=60, rx=1200, retransmits=0, retransmits_in=0, duplicates_in=(5, 6),
                   may={"old-timestamp": "certain"})),  # which is what TCP refuses them for
    "b": view(life(local=":7098", outcome="completed", process="fld-srv", closed_by="peer", tx=1200, rx=60, wire__tx_bytes=1200, retransmits=0, retransmits_in=0)),
}
