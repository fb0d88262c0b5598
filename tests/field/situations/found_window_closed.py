# SPDX-License-Identifier: Apache-2.0
"""Tracing begins while a receiver does not read: its window is closed, and the first thing that is seen is a probe into it.

Reported: how one looks at a stuck transfer: it is stuck before anybody traces it.
Right: the probes are zero-window probes at both ends, with and without the kernel. No end has keep-alive on.
"""
from field import *

need("nstat")


def server(go):
    c = accepted(listen(7448))
    go.wait(60)
    size = len(read_all(c))
    c.close()
    return size


def client(go):
    c = connect(B, 7448)
    c.setblocking(False)
    sent = 0
    try:
        while True:
            sent += c.send(b"z" * 65536)
    except BlockingIOError:
        pass
    c.setblocking(True)
    go.wait(60)
    c.close()
    return sent


def play(lab):
    lab.pair()
    read, close = Signal(), Signal()
    serving = lab.server("b", "fld-srv", server, 7448, read)
    sending = lab.actor("a", "fld-cli", client, close)
    time.sleep(0.5)
    for place in "ab":
        lab.watch(place)
        lab.watch(place, "--kernel", "off", name=f"{place}-wire")
    before = lab.nstat("a", "TcpExtTCPWinProbe")  # each comes twice as late as the one before
    until(lambda: lab.nstat("a", "TcpExtTCPWinProbe") > before, 20, "a probe")
    time.sleep(0.3)
    read.set()
    time.sleep(0.3)
    close.set()
    lab.must(serving.result() == sending.result(), "not all came")


may = {"retransmission": "certain"}
closed = {"zero-window": "certain"}
expect = {
    "a": view(life(f"{B}:7448", "completed", process="fld-cli", findings=closed, may=may)),
    "b": view(life(local=":7448", outcome="completed", process="fld-srv", findings=closed, may=may)),
    "a-wire": view(life(f"{B}:7448", "completed", findings=closed, may=may)),
    "b-wire": view(life(local=":7448", outcome="completed", findings=closed, may=may)),
}
