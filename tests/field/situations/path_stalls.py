# SPDX-License-Identifier: Apache-2.0
"""A path stands still for half a second; then it delivers what waited and its retransmission, back to back.

Reported: Wi-Fi and mobile hand-overs, bufferbloat: spurious timeouts (RFC 5682).
Right: the near miss of a copy of the network. The server sent it again, and that was in vain.
"""
from field import *
from relay import Relay, tcp_payload, wire


def server():
    c = accepted(listen(7099, "::", family=socket.AF_INET6))
    for _ in range(8):
        c.sendall(read_all(c, 5) * 20)
    c.recv(1)
    c.close()


def client():
    c = connect(B6, 7099)
    for _ in range(8):
        c.sendall(b"hello")
        read_all(c, 100)
    time.sleep(0.3)
    c.close()


def stalling(frame):
    stalling.seen = getattr(stalling, "seen", 0) + (tcp_payload(frame) > 0)
    if stalling.seen < 5:
        return [0]
    stalling.until = getattr(stalling, "until", time.monotonic() + 0.6)
    return [stalling.until]


def play(lab):
    wire(lab)
    ready = Signal()
    relay = lab.actor("r", "fld-relay", Relay(stalling).run, ready)
    ready.wait()
    lab.watch("a")
    lab.watch("b")
    serving = lab.server("b", "fld-srv", server, 7099)
    lab.actor("a", "fld-cli", client).result()
    serving.result()
    until(lambda: not lab.sockets("b", "sport = :7099"), 5, "the last ACK")
    time.sleep(0.3)
    relay.kill()
    lab.must(lab.segments_sent_again(["b"]) > 0, "nothing was sent again")


expect = {
    "a": view(life(f"[{B6}]:7099", "completed", process="fld-cli", tx=40, rx=800, retransmits_in=lambda n: n >= 1, duplicates_in=None, findings={"retransmission": "certain"})),
    "b": view(life(local=":7099", outcome="completed", process="fld-srv", tx=800, rx=40, retransmits=lambda n: n >= 1, findings={"retransmission": "certain"})),
}
