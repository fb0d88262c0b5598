# SPDX-License-Identifier: Apache-2.0
"""A download on a path on which every seventh segment is overtaken by those of the next 3 ms; nothing is lost.
Right: what came out of order was not sent again, as far as the sender did not: its kernel counts."""
from field import *
from relay import Relay, tcp_payload, wire

SIZE = 300_000
SENT = {}


def server(port):
    c = accepted(listen(port))
    read_all(c, 5)
    c.sendall(b"x" * SIZE)
    c.close()


def client(port):
    c = connect(B, port)
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


def play_reordered(lab, port, without=()):
    """without: TCP's options that are off at the receiver, by their sysctl."""
    wire(lab)
    for name in without:
        lab.sysctl("a", f"net.ipv4.{name}", 0)
    ready = Signal()
    wiring = lab.actor("r", "fld-wire", run_relay, ready)
    ready.wait()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, port, port)
    lab.must(lab.actor("a", "fld-cli", client, port).result() == SIZE, "not all")
    time.sleep(0.3)
    wiring.end()
    SENT["n"] = lab.nstat("b", "TcpRetransSegs")


def as_counted(n):
    """as nstat counted"""
    return n == SENT["n"]


def about(n):
    """about as nstat counted: beside reordering a receiver cannot tell each one"""
    return SENT["n"] * 0.7 <= n <= SENT["n"] * 1.3 + 6


def expected(port):
    return {
        "a": view(life(f"{B}:{port}", "completed", process="fld-cli", rx=SIZE, wire__complete=True, retransmits_in=about,
                       may={"retransmission": "certain", "old-timestamp": "certain"})),
        "b": view(life(local=f":{port}", outcome="completed", process="fld-srv", tx=SIZE, wire__complete=True,
                       retransmits=as_counted, may={"retransmission": "certain"})),
    }
