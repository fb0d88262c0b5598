# SPDX-License-Identifier: Apache-2.0
"""An old segment reaches a connection in TIME_WAIT; the ACK that answers it meets a peer that knows nothing any more, and sends a RST."""
from field import *

import forge

PORT = 7203


def server():
    c = accepted(listen(PORT))
    c.sendall(read_all(c, 5))
    read_all(c)
    c.close()


def client():
    c = connect(B, PORT)
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()
    time.sleep(0.3)


def outsider(up, over):
    sniffer = forge.Sniffer("to-a")
    up.set()
    over.wait()
    source, target, seq, _ = sniffer.last(PORT)
    answer, ack, _ = sniffer.seen[target, source]
    forge.send(forge.segment(target, source, answer - 6, seq, forge.PSH | forge.ACK, b"hello"), source[0])
    time.sleep(0.3)


def play_old_segment(lab, rfc1337):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_rfc1337", int(rfc1337))
    up, over = Signal(), Signal()
    evil = lab.actor("b", "fld-evil", outsider, up, over)
    up.wait()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, PORT)
    lab.actor("a", "fld-cli", client).result()
    lab.must(lab.sockets("a", f"state time-wait dport = :{PORT}"), "no TIME_WAIT")
    over.set()
    evil.result()
    left = bool(lab.sockets("a", f"state time-wait dport = :{PORT}"))
    lab.must(left == rfc1337, f"TIME_WAIT is {'still there' if left else 'gone'}")


both_ends = {
    "a": view(life(f"{B}:{PORT}", "completed", process="fld-cli", tx=5, rx=5, closed_by="local", never=["reset by", "ended by a RST"]),
              may={"stray-segment": "certain"}),
    "b": view(life(local=f":{PORT}", outcome="completed", process="fld-srv", tx=5, rx=5, closed_by="peer", never=["reset by", "ended by a RST"]),
              may={"stray-segment": "certain"}),
}
