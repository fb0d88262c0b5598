# SPDX-License-Identifier: Apache-2.0
"""A server stops listening between its SYN-ACK and the handshake's last ACK, which a slow path delays (a rolling restart).

Reported: "connection reset by peer" right behind connect() at each deploy.
Right: the request went with its listener, and the client's next segment was answered by a RST of the server's TCP.
"""
from field import *


def server(go):
    s = listen(7473)
    go.wait()
    s.close()
    closed.set()
    time.sleep(5)


closed = Signal()


def client(ready, go):
    c = connect(B, 7473)
    ready.set()
    go.wait()
    c.sendall(b"hello")
    failed = error_of(c.recv, 5)
    c.close()
    return failed


def play(lab):
    lab.routed()
    lab.nft("r", "table ip f { chain o { type filter hook forward priority 0; ip saddr 10.8.0.1 tcp flags & (syn|ack) == ack drop; }\n}")
    lab.watch("a")
    lab.watch("b")
    ready, go, close = Signal(), Signal(), Signal()
    serves = lab.server("b", "fld-srv", server, 7473, close)
    asks = lab.actor("a", "fld-cli", client, ready, go)
    ready.wait()
    close.set()
    closed.wait()
    lab.shell("r", "nft flush ruleset")
    go.set()
    lab.must(asks.result() == errno.ECONNRESET, "it was not reset")
    serves.end()


expect = {
    "a": view(life(f"{B}:7473", "reset-by-peer", process="fld-cli", errno=errno.ECONNRESET, findings={"reset-origin": "likely"},
                   may={"retransmission": "certain", "half-open": "likely"})),
    "b": view(life(local=":7473", outcome="reset-by-local", process="fld-srv", rx=0, findings={"reset-origin": "certain"}, may={"retransmission": "certain"},
                   says=["the listener was gone"])),
}
