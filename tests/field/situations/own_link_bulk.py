# SPDX-License-Identifier: Apache-2.0
"""The own interface goes down for a second in the middle of an upload: segments are in flight, and wait to be sent again.

Reported: backups that stall when NetworkManager sets the link anew.
Right: what was to be sent again meanwhile had no route and was not sent; then all bytes arrive.
"""
from field import *


def server():
    c = accepted(listen(7505))
    size = 0
    while data := c.recv(65536):
        size += len(data)
    c.close()
    return size


def client(ready):
    c = connect(B, 7505)
    end = time.monotonic() + 3.5
    size = 0
    while time.monotonic() < end:
        c.sendall(b"x" * 20_000)
        size += 20_000
        time.sleep(0.002)
        if size == 400_000:
            ready.set()
    c.close()
    return size


def play(lab):
    lab.pair()
    ready = Signal()
    lab.watch("a")
    takes = lab.server("b", "fld-srv", server, 7505)
    sends = lab.actor("a", "fld-cli", client, ready)
    ready.wait()
    # What the peer acknowledges is lost, so that something is in flight.
    lab.ip("b", "link set to-a down")
    time.sleep(0.1)
    lab.ip("a", "link set to-b down")
    time.sleep(1.2)
    lab.ip("b", "link set to-a up")
    lab.ip("a", "link set to-b up")
    lab.must(takes.result() == sends.result(), "bytes are missing")


expect = {"a": view(life(f"{B}:7505", "completed", process="fld-cli", closed_by="local", findings={"tx-not-sent": "certain", "retransmission": "certain"},
                         may={"path-dead": "likely"}, never=["half-open"]))}
