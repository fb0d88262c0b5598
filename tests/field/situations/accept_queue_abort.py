# SPDX-License-Identifier: Apache-2.0
"""The accept queue is full at a handshake's last ACK, and tcp_abort_on_overflow is set: the server's kernel resets.

Reported: tcp_abort_on_overflow switched on "to fail fast": connections that are reset before the server knows of them.
Right: at the server: this machine reset it, as the queue was full; the half-open request is over, not open.
"""
from field import *

need("nft")


def server(done):
    listener = listen(7106, backlog=0)  # noqa: kept open
    done.wait()
    os._exit(0)


def client(late, full):
    c = connect(B, 7106, source=("", 40106))  # its ACK does not leave
    late.set()
    full.wait()
    c.settimeout(5)
    c.sendall(b"query")
    return error_of(c.recv, 1)


def other(full, done):
    c = connect(B, 7106)  # noqa: kept open
    full.set()
    done.wait()
    os._exit(0)


def play(lab):
    lab.pair()
    lab.sysctl("b", "net.ipv4.tcp_abort_on_overflow", 1)
    lab.nft("a", "table ip f { chain o { type filter hook output priority 0; tcp sport 40106 tcp flags & (syn | ack) == ack drop; }\n}")
    late, filled, full, done = Signal(), Signal(), Signal(), Signal()
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7106, done)
    asking = lab.actor("a", "fld-cli", client, late, full)
    late.wait()
    lab.actor("a", "fld-other", other, filled, done)
    filled.wait()
    lab.shell("a", "nft flush ruleset")
    full.set()
    lab.must(asking.result() == errno.ECONNRESET, "not reset")
    lab.watches[0].stop()
    done.set()


expect = {"b": view(
    life(local=":7106", remote=":40106", outcome="reset-by-local", process="fld-srv", closed_by="local", findings={"accept-queue-full": "certain", "reset-origin": "certain"},
         rx=0,
         may={"retransmission": "certain", "slow-handshake": "certain"}),
    life(local=":7106", outcome="open", process="fld-srv", may={"syncookie": "certain"}))}
