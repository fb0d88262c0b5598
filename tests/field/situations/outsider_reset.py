# SPDX-License-Identifier: Apache-2.0
"""Somebody on the path forges a RST with exactly the right number (a middlebox ends connections it dislikes).

Reported: Great-Firewall-like RSTs; Azure and AWS appliances.
Right: the kernel believes it: the connection ends by a RST that the peer did not send. Its TTL (50) is not that of the peer's
segments (64), and the peer goes on behind it: an outsider.
"""
from forged import *


def server(port, go):
    c = accepted(listen(port))
    c.sendall(read_all(c, 5))
    go.wait()
    for _ in range(3):
        error_of(c.send, b"still here")
        time.sleep(0.1)
    c.close()


def forged(source, target, seq, back):
    forge.send(forge.segment(target, source, back, seq, forge.RST | forge.ACK, ttl=50), source[0])
    time.sleep(0.1)


def play(lab):
    talking = play_forged(lab, 7097, forged, server, reset_client)
    lab.must(talking.result() == errno.ECONNRESET, "no reset")


expect = {"a": view(life(f"{B}:7097", "reset-by-outsider", process="fld-cli", tx=5, rx=5, errno=errno.ECONNRESET, findings={"reset-origin": "certain"}, says=["outsider"], never=["the RST came from the peer"]),
                    may={"stray-segment": "certain"})}
