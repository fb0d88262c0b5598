# SPDX-License-Identifier: Apache-2.0
"""MPTCP connections that were open before the tracer; one is closed by its client, which TCP does not see before its server closes.

Reported: "ss shows the process, the tracer does not" (Go's servers listen with MPTCP since 1.24).
Right: each side's process is named, as of TCP.
"""
from field import *

need("mptcp")


def server(done):
    s = listen(7753, protocol=IPPROTO_MPTCP)
    ours = [accepted(s) for _ in range(2)]
    done.wait()
    os._exit(0)


def client(ready, go, done):
    ours = []
    for port in (5753, 5754):
        c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
        c.bind((A, port))
        c.connect((B, 7753))
        c.sendall(b"hello")
        ours.append(c)
    ready.set()
    go.wait()
    ours[0].close()
    done.wait()


def play(lab):
    lab.pair()
    ready, go, done = Signal(), Signal(), Signal()
    served = lab.server("b", "fld-msrv", server, 7753, done)
    asking = lab.actor("a", "fld-mcli", client, ready, go, done)
    ready.wait()
    lab.watch("a")
    lab.watch("b")
    go.set()
    time.sleep(1)
    for watch in lab.watches:
        watch.stop()
    done.set()
    asking.end()
    served.end()


expect = {
    "a": view(life(f"{B}:7753", "open", local=":5753", process="fld-mcli", preexisting=True),
              life(f"{B}:7753", "open", local=":5754", process="fld-mcli", preexisting=True)),
    "b": view(life(f"{A}:5753", "open", process="fld-msrv", preexisting=True),
              life(f"{A}:5754", "open", process="fld-msrv", preexisting=True)),
}
