# SPDX-License-Identifier: Apache-2.0
"""The accept queue is full, so a client's SYNs are dropped; then the server ends, and the next SYN is refused.

Reported: restarts of overloaded servers: "connection refused" after seconds of nothing.
Right: at the server: refused, by this machine's own TCP (a RST for which no socket is there), when that RST left.
"""
from field import *

need("nstat")


def server(done):
    listener = listen(7929, backlog=0)  # noqa: kept open
    done.wait()
    os._exit(0)


def other(full, done):
    c = connect(B, 7929)  # noqa: kept open
    full.set()
    done.wait()
    os._exit(0)


def client():
    return error_of(connect, B, 7929, ("", 40129))


def play(lab):
    lab.pair()
    full, done, end = Signal(), Signal(), Signal()
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7929, done)
    lab.actor("a", "fld-other", other, full, end)
    full.wait()
    asking = lab.actor("a", "fld-cli", client)
    until(lambda: lab.nstat("b", "TcpExtListenDrops") >= 2, 10, "the second SYN")
    done.set()
    lab.must(asking.result() == errno.ECONNREFUSED, "not refused")
    time.sleep(2)
    end.set()


expect = {"b": view(
    life(local=":7929", remote=":40129", outcome="refused", process="fld-srv", closed_by="local", says=["answered by a RST from this machine"],
         findings={"accept-queue-full": "certain", "reset-origin": "certain"}, may={"retransmission": "certain"},
         duration_ns=(1_000_000_000, 8_000_000_000)),
    life(local=":7929", outcome="reset-by-local", process="fld-srv", findings={"reset-origin": "certain"}, may={"slow-accept": "certain"}))}
