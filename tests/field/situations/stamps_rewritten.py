# SPDX-License-Identifier: Apache-2.0
"""A box on the way begins to rewrite timestamps, so that they go back: TCP refuses all that comes (PAWS), and it is no dead path.

Reported: tcp_tw_recycle's NAT drops; load balancers that fail over in mid-connection; WAN optimisers.
Right: of 7147 the server refuses the client's data, of 7148 the client refuses the server's acknowledgements: old-timestamp. What is sent again
goes unanswered, but the peer's segments come all the time: no path-dead, no path-mtu-black-hole.
"""
from field import *
from middlebox import SYN, TIMESTAMPS, middlebox

BACK = 100_000
SMALL = 5  # messages that pass before


def box():
    passed = {}

    def rewrite(frame, to_b):
        port = frame.ports[1 if to_b else 0]
        at = frame.option(TIMESTAMPS)
        if to_b != (port == 7147) or frame.flags & SYN or at is None:
            return None
        passed[port] = passed.get(port, 0) + 1
        if passed[port] <= SMALL:
            return None
        stamp, = struct.unpack("!I", frame.data[at:at + 4])
        frame.data[at:at + 4] = struct.pack("!I", (stamp - BACK) & 0xFFFFFFFF)
        return [(to_b, frame.with_checksum())]

    return rewrite


def server(port, done):
    c = accepted(listen(port))
    read_all(c, SMALL * 100)
    time.sleep(0.8)
    c.sendall(b"z" * 100)
    done.wait()


def client(port, done):
    c = connect(B, port)
    for _ in range(SMALL):
        c.sendall(b"x" * 100)
        time.sleep(0.06)
    time.sleep(0.8)  # a pause, and then what is not acknowledged
    c.sendall(b"y" * 100)
    done.wait()


def play(lab):
    relay = middlebox(lab, box())
    done = Signal()
    lab.watch("a")
    lab.watch("b")
    servers = [lab.server("b", f"fld-sv{port % 10}", server, port, port, done) for port in (7147, 7148)]
    clients = [lab.actor("a", f"fld-cl{port % 10}", client, port, done) for port in (7147, 7148)]
    time.sleep(6.5)
    lab.must(lab.nstat("b", "TcpExtPAWSEstab") > 3, "b refused nothing")
    lab.must(lab.nstat("a", "TcpExtPAWSEstab") > 3, "a refused nothing")
    for watch in lab.watches:
        watch.stop()
    for actor in (*clients, *servers, relay):
        actor.kill()


again = {"retransmission": "certain"}
expect = {
    "a": view(life(f"{B}:7147", "open", process="fld-cl7", findings=again),
              life(f"{B}:7148", "open", process="fld-cl8", findings={**again, "old-timestamp": "certain"}, never=["nothing has come"])),
    "b": view(life(local=":7147", outcome="open", process="fld-sv7", findings={"old-timestamp": "certain"}, may=again, never=["nothing has come"]),
              life(local=":7148", outcome="open", process="fld-sv8", may=again)),
}
