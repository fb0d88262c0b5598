# SPDX-License-Identifier: Apache-2.0
"""The path reorders, and neither side has SACK or timestamps: every seventh segment is overtaken by those of the next 3 ms.

Reported: per-packet load balancing over two links, Wi-Fi access points, LAGs with round robin.
Right: what came out of order was not sent again, as far as the sender did not: its kernel counts.
"""
from field import *
from relay import Relay, tcp_payload, wire

SIZE = 300_000
SENT = {}


def server():
    c = accepted(listen(7853))
    read_all(c, 5)
    c.sendall(b"x" * SIZE)
    c.close()


def client():
    c = connect(B, 7853)
    c.sendall(b"hello")
    size = len(read_all(c))
    c.close()
    return size


def run_relay(ready):
    seen = [0]

    def towards_a(frame):
        if tcp_payload(frame) < 500:
            return [0]
        seen[0] += 1
        return [time.monotonic() + 0.003 if seen[0] % 7 == 3 else 0]

    Relay(towards_a).run(ready)


def play(lab):
    wire(lab)
    for name in ("tcp_sack", "tcp_timestamps"):
        lab.sysctl("a", f"net.ipv4.{name}", 0)
    ready = Signal()
    wiring = lab.actor("r", "fld-wire", run_relay, ready)
    ready.wait()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7853)
    lab.must(lab.actor("a", "fld-cli", client).result() == SIZE, "not all")
    time.sleep(0.3)
    wiring.end()
    SENT["n"] = lab.nstat("b", "TcpRetransSegs")


def as_counted(n):
    """as nstat counted"""
    return n == SENT["n"]


def about(n):
    """about as nstat counted: beside reordering a receiver cannot tell each one"""
    return SENT["n"] * 0.7 <= n <= SENT["n"] * 1.3 + 6


expect = {
    "a": view(life(f"{B}:7853", "completed", process="fld-cli", rx=SIZE, wire__complete=True, retransmits_in=about,
                   may={"retransmission": "certain", "old-timestamp": "certain"})),
    "b": view(life(local=":7853", outcome="completed", process="fld-srv", tx=SIZE, wire__complete=True, retransmits=as_counted,
                   may={"retransmission": "certain"})),
}
