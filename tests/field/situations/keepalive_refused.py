# SPDX-License-Identifier: Apache-2.0
"""Keep-alive probes are answered with what TCP does not take: numbers of another connection, then a wrong checksum. The kernel gives the peer up.

Reported: middleboxes that answer for a host with old numbers; firewalls that change them one way only (ASA with sequence randomization in the middle of
a connection); offload faults.
Right: four answers arrived and TCP refused them. Not "no answer arrived", and none of them is an answer.
"""
from field import *
import forge

PORT = 7483
need("nft")


def server():
    c = accepted(listen(PORT))
    read_all(c, 3)
    time.sleep(8)


def client(ready):
    c = connect(B, PORT)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 2), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 4)):
        c.setsockopt(socket.IPPROTO_TCP, option, value)
    c.sendall(b"abc")
    time.sleep(0.5)
    ready.set()
    c.settimeout(12)
    return error_of(c.recv, 5)


def wrong_checksum(packet):
    return packet[:36] + bytes([packet[36] ^ 0x55]) + packet[37:]


def outsider(up, ready):
    sniffer = forge.Sniffer("to-a")
    up.set()
    ready.wait()
    source, target, seq, _ = sniffer.last(PORT)
    back = sniffer.seen[target, source][0]
    answers = [forge.segment(target, source, back + 500_000_000, seq, forge.ACK), forge.segment(target, source, back - 50_000, seq - 2, forge.ACK), forge.segment(target, source, back, seq + 500_000, forge.ACK),
               wrong_checksum(forge.segment(target, source, back, seq, forge.ACK))]
    for answer in answers:
        sniffer.seen[source, target] = (seq, 0, 0)
        until(lambda: sniffer.read() or sniffer.seen[source, target][0] == (seq - 1) & 0xFFFFFFFF, what="a probe")
        forge.send(answer, source[0])


def play(lab):
    lab.pair()
    up, ready = Signal(), Signal()
    answering = lab.actor("b", "fld-evil", outsider, up, ready)
    up.wait()
    lab.watch("a")
    lab.server("b", "fld-srv", server, PORT)
    asked = lab.actor("a", "fld-cli", client, ready)
    ready.wait()
    lab.nft("b", f"table ip f {{ chain i {{ type filter hook input priority 0; tcp dport {PORT} drop; }}\n}}")
    answering.result()
    lab.must(asked.result() == errno.ETIMEDOUT, "the kernel did not give up")


expect = {"a": view(life(f"{B}:{PORT}", "keepalive-timeout", process="fld-cli", errno=errno.ETIMEDOUT, tx=3, findings={"keepalive": "certain", "bad-checksum": "certain"},
                         may={"reset-origin": "certain", "out-of-window": "certain", "rx-dropped": "certain"},
                         says=[r"4 of 4 keep-alive probes left to-b, TCP took no answer \(4 ACKs arrived and were refused\)", "4 keep-alive probes in a row got no answer that TCP took"],
                         never=["no answer arrived", "answered it"]), may={"stray-segment": "certain"})}
quiet = ["a"]  # the rule of the other side drops what answers its last FIN
