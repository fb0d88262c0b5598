# SPDX-License-Identifier: Apache-2.0
"""A small device acknowledges late, after 600 ms: each of the sender's segments is sent again by its timer, and nothing was ever lost.

Reported: embedded stacks with delayed ACKs of half a second and more (lwIP, printers, PLCs).
Right: retransmissions (the kernel counts them); no path is dead, no MTU too small. The device has no D-SACK to say that it got them twice.
"""
from field import *
import forge


def device(up, port):
    sniffer = forge.Sniffer("to-a")
    up.set()
    listener = None
    end = time.monotonic() + 9
    me, iss, next_, due, peer, closing = ("10.9.0.9", port), 9000, None, [], None, False
    sniffer.socket.settimeout(0.02)
    sent = iss
    while time.monotonic() < end:
        try:
            frame = sniffer.socket.recv(65536)
        except socket.timeout:
            frame = None
        now = time.monotonic()
        for at, what in [one for one in due if one[0] <= now]:
            forge.send(forge.segment(me, peer, sent, what, forge.ACK | (forge.FIN if closing else 0)), peer[0])
            if closing:
                return True
        due = [one for one in due if one[0] > now]
        if frame is None or frame[12:14] != b"\x08\x00" or frame[23] != 6 or frame[30:34] != socket.inet_aton("10.9.0.9"):
            continue
        sport, dport, seq, ack, offset, flags = struct.unpack("!HHIIBB", frame[34:48])
        size = struct.unpack("!H", frame[16:18])[0] - 20 - (offset >> 4) * 4
        peer = (socket.inet_ntoa(frame[26:30]), sport)
        if flags & 2:
            next_, sent = seq + 1, iss + 1
            forge.send(forge.segment(me, peer, iss, next_, forge.SYN | forge.ACK, options=b"\2\4\5\xb4"), peer[0])
        elif flags & 1 or size:
            if seq == next_:
                next_ += size + (flags & 1)
                closing = bool(flags & 1)
                due.append((now + 0.6, next_))
    return False


def client():
    c = connect("10.9.0.9", 7823)
    for _ in range(3):
        c.sendall(b"x" * 100)
        time.sleep(1)
    c.close()


def play(lab):
    lab.pair()
    mac = lab.shell("b", "cat /sys/class/net/to-a/address").strip()
    lab.shell("a", f"ip neigh replace 10.9.0.9 lladdr {mac} dev to-b nud permanent")
    lab.nft("b", "table ip f { chain i { type filter hook prerouting priority -300; ip daddr 10.9.0.9 drop; }\n}")
    up = Signal()
    lab.watch("a")
    box = lab.actor("b", "fld-raw", device, up, 7823)
    up.wait()
    lab.actor("a", "fld-cli", client).result()
    lab.must(box.result(), "not closed")


expect = {"a": view(life("10.9.0.9:7823", "completed", process="fld-cli", closed_by="local", tx=300, findings={"retransmission": "certain"}))}
