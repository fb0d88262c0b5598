# SPDX-License-Identifier: Apache-2.0
"""ss -K removes a half-open request, while a firewall rule keeps the handshake's last ACK away; then the client's data arrives.

Reported: "connection reset by peer" for the first request only, and nothing in the server's log.
Right: the request had been given up: what acknowledges its SYN-ACK meets the listener itself, which answers with a RST.
"""
from field import *

need("nft", "ss")
RULE = "table ip f { chain i { type filter hook input priority 0; tcp dport 7496 tcp flags & (syn|ack) == ack drop; }\n}"


def server(done):
    s = listen(7496)
    done.wait()
    s.close()


def client(ready, go):
    c = connect(B, 7496)
    ready.set()
    go.wait()
    c.sendall(b"hello")
    failed = error_of(c.recv, 5)
    c.close()
    return failed


def play(lab):
    lab.pair()
    lab.nft("b", RULE)
    lab.watch("a")
    lab.watch("b")
    ready, go, done = Signal(), Signal(), Signal()
    lab.server("b", "fld-srv", server, 7496, done)
    asks = lab.actor("a", "fld-cli", client, ready, go)
    ready.wait()
    lab.shell("b", "ss -K -tn state syn-recv sport = :7496")
    lab.shell("b", "nft flush ruleset")
    go.set()
    lab.must(asks.result() == errno.ECONNRESET, "it was not reset")
    done.set()


expect = {
    "a": view(life(f"{B}:7496", "reset-by-peer", process="fld-cli", errno=errno.ECONNRESET, findings={"reset-origin": "likely"})),
    "b": view(life(local=":7496", outcome="reset-by-local", process="fld-srv", rx=0, findings={"reset-origin": "certain", "rx-dropped": "certain"},
                   says=["had been given up"])),
}
