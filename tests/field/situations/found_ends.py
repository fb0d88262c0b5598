# SPDX-License-Identifier: Apache-2.0
"""Connections that are older than the tracer end in all ways: unaccepted with their listener, killed with data unread, given up, refused as half-open.

Reported: a tracer that is started when something is already wrong.
Right: how each ended is as sure as of a connection that was seen from its beginning.
"""
from field import *

need("nft")


def server(go):
    lone, s = listen(7936, backlog=4), listen(7937)
    ours = {}
    for _ in range(3):
        c = accepted(s)
        ours[c.getpeername()[1]] = c
    go.wait()
    lone.close()
    abort(ours[5943])
    time.sleep(60)


def client(ready, go):
    queued = connect(B, 7936, (A, 5941))
    unread = connect(B, 7937, (A, 5942))
    aborted = connect(B, 7937, (A, 5943))
    lost = connect(B, 7937, (A, 5944))
    unread.sendall(b"hello")
    ready.set()
    go.wait()
    lost.sendall(b"lost")
    failed = [error_of(s.recv, 1) for s in (queued, aborted, lost, unread)]
    return failed


def play(lab):
    lab.pair()
    ready, go = Signal(), Signal()
    lab.sysctl("a", "net.ipv4.tcp_retries2", 3)
    serving = lab.server("b", "fld-srv", server, 7937, go)
    asking = lab.actor("a", "fld-cli", client, ready, go)
    ready.wait()
    lab.watch("a")
    lab.watch("b")
    lab.nft("a", "table ip f { chain o { type filter hook output priority 0; tcp sport 5944 drop; }\n}")
    go.set()
    time.sleep(4)
    serving.kill()
    failed = asking.result()
    lab.must(failed == [errno.ECONNRESET, errno.ECONNRESET, errno.ETIMEDOUT, errno.ECONNRESET], f"{failed}")


sure, again = {"reset-origin": "certain"}, {"retransmission": "certain", "path-dead": "likely"}
old = {"preexisting": True}
expect = {
    "a": view(life(f"{B}:7936", "reset-by-peer", local=":5941", process="fld-cli", role="active", closed_by="peer", errno=errno.ECONNRESET, may=sure, **old),
              life(f"{B}:7937", "reset-by-peer", local=":5942", process="fld-cli", role="active", closed_by="peer", tx=5, errno=errno.ECONNRESET, may=sure, **old),
              life(f"{B}:7937", "reset-by-peer", local=":5943", process="fld-cli", role="active", closed_by="peer", errno=errno.ECONNRESET, may=sure, **old),
              life(f"{B}:7937", "retransmit-timeout", local=":5944", process="fld-cli", role="active", closed_by="none", errno=errno.ETIMEDOUT,
                   findings={"tx-not-sent": "certain"}, may=again, **old), may={"stray-segment": "certain"}),
    "b": view(life(f"{A}:5941", "reset-by-local", local=":7936", process="fld-srv", closed_by="local", findings=sure, says=["before accept"], **old),
              life(f"{A}:5942", "aborted", local=":7937", process="fld-srv", closed_by="local", rx=5, findings=sure, **old),
              life(f"{A}:5943", "reset-by-local", local=":7937", process="fld-srv", closed_by="local", findings=sure, **old),
              life(f"{A}:5944", ("completed", "open", "fin-wait2-timeout", "unknown"), local=":7937", process="fld-srv", closed_by="local", may={**again, "stray-segment": "certain"}, **old)),
}
