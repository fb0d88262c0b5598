# SPDX-License-Identifier: Apache-2.0
"""A path with a round trip of 1.3 s (a geostationary satellite with a slow modem): SYN and SYN-ACK are sent again before their answers can be there.

Right: the handshake was slow for the way's sake; what was sent again was in vain, and nothing was lost.
"""
from field import *
from relay import Relay, wire


def server():
    c = accepted(listen(7854))
    c.sendall(read_all(c, 5))
    c.recv(1)
    c.close()


def client():
    c = connect(B, 7854)
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def run_relay(ready):
    def towards_a(frame):
        return [time.monotonic() + 1.3 if frame[12:14] == b"\x08\x00" else 0]

    Relay(towards_a).run(ready)


def play(lab):
    wire(lab)
    ready = Signal()
    wiring = lab.actor("r", "fld-wire", run_relay, ready)
    ready.wait()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7854)
    lab.actor("a", "fld-cli", client).result()
    time.sleep(3)
    wiring.end()


expect = {
    "a": view(life(f"{B}:7854", "completed", process="fld-cli", tx=5, rx=5, findings={"slow-handshake": "certain", "retransmission": "certain"},
                   never=["lost"])),
    "b": view(life(local=":7854", outcome="completed", process="fld-srv", tx=5, rx=5,
                   may={"slow-handshake": "certain", "retransmission": "certain"})),
}
