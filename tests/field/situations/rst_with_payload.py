# SPDX-License-Identifier: Apache-2.0
"""A filter on the way answers a request by a RST that carries its reason as text (RFC 9293, 3.5.3), in the server's name.

Reported: web filters and DPI boxes; HP-UX and others put text into a RST.
Right: reset by the peer or something on the way, likely; the text is no data of the connection: nothing was received.
"""
from field import *
from middlebox import ACK, RST, Frame, folded, middlebox

quiet = ["a"]  # the server never learns of it
REASON = b"blocked by policy!"


def refuse(frame, to_b):
    if not to_b or not frame.length:
        return None
    sent = bytearray(frame.data[:frame.tcp + 20]) + REASON
    sent[0:6], sent[6:12] = frame.data[6:12], frame.data[0:6]
    sent[16:18] = struct.pack("!H", len(sent) - 14)
    sent[26:30], sent[30:34] = frame.data[30:34], frame.data[26:30]
    sent[24:26] = b"\0\0"
    sent[24:26] = folded(bytes(sent[14:34]))
    sent[frame.tcp:frame.tcp + 14] = struct.pack("!HHIIBB", *reversed(frame.ports), frame.ack, frame.seq + frame.length, 0x50, RST | ACK)
    return [(False, Frame(bytes(sent)).with_checksum())]


def server():
    c = accepted(listen(7152))
    error_of(c.recv, 10)


def client():
    c = connect(B, 7152)
    c.sendall(b"GET /")
    failed = error_of(c.recv, 100)
    c.close()
    return failed


def play(lab):
    box = middlebox(lab, refuse)
    lab.watch("a")
    serving = lab.server("b", "fld-srv", server, 7152)
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNRESET, "no RST came")
    time.sleep(0.2)
    serving.kill()
    box.kill()


expect = {"a": view(life(f"{B}:7152", "reset-by-peer", process="fld-cli", closed_by="peer", tx=0, rx=0, errno=errno.ECONNRESET, findings={"reset-origin": "likely"}),
                    may={"stray-segment": "certain"})}  # the FIN of the server, which is killed at the end
