# SPDX-License-Identifier: Apache-2.0
"""The path becomes 400 ms longer in the middle of a download (a satellite, a tunnel that is routed anew): nothing is lost.

Right: timeouts that were in vain: the ACKs that came showed that the first copies had arrived. No path is dead.
"""
from field import *
from relay import Relay, tcp_payload, wire

SIZE = 400_000


def server():
    c = accepted(listen(7852))
    read_all(c, 5)
    for _ in range(8):
        c.sendall(b"x" * (SIZE // 8))
        time.sleep(0.15)
    c.close()


def client():
    c = connect(B, 7852)
    c.sendall(b"hello")
    size = len(read_all(c))
    c.close()
    return size


def run_relay(ready):
    state = {"n": 0, "last": 0}

    def towards_a(frame):
        if tcp_payload(frame):
            state["n"] += 1
        at = time.monotonic() + (0.4 if state["n"] > 60 else 0)
        state["last"] = max(state["last"], at)
        return [at if state["n"] > 60 else 0]

    Relay(towards_a).run(ready)


def play(lab):
    wire(lab)
    ready = Signal()
    wiring = lab.actor("r", "fld-wire", run_relay, ready)
    ready.wait()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7852)
    lab.must(lab.actor("a", "fld-cli", client).result() == SIZE, "not all")
    time.sleep(1)
    wiring.end()


expect = {
    "a": view(life(f"{B}:7852", "completed", process="fld-cli", rx=SIZE, wire__complete=True, may={"retransmission": "certain"}, never=["lost"]),
                   may={"stray-segment": "certain"}),
    "b": view(life(local=":7852", outcome="completed", process="fld-srv", tx=SIZE, may={"retransmission": "certain"})),
}
