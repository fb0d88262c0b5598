# SPDX-License-Identifier: Apache-2.0
"""redis closes a subscriber that reads too slowly (client-output-buffer-limit): much of what it has for it is never read.

Reported: redis client-output-buffer-limit; "scheduled to be closed ASAP for overcoming of output buffer limits".
Right: redis closed first. What the subscriber has not read keeps its window closed, and that is the subscriber's doing.
"""
from field import *

need("redis-server")


def subscriber(ready, go):
    c = socket.socket()
    c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    c.connect((B, 6379))
    c.settimeout(20)
    c.sendall(b"SUBSCRIBE x\r\n")
    c.recv(100)
    ready.set()
    go.wait()
    size = len(read_all(c))
    c.close()
    return size


def publisher():
    c = connect(B, 6379)
    payload = b"y" * 500_000
    for _ in range(30):
        c.sendall(b"*3\r\n$7\r\nPUBLISH\r\n$1\r\nx\r\n$500000\r\n" + payload + b"\r\n")
        c.recv(20)
    c.close()


def play(lab):
    lab.pair()
    redis(lab, "b", 6379, "--client-output-buffer-limit", "pubsub 2mb 0 0")
    lab.watch("a")
    lab.watch("b")
    ready, go = Signal(), Signal()
    reads = lab.actor("a", "fld-sub", subscriber, ready, go)
    ready.wait()
    lab.actor("a", "fld-pub", publisher).result()
    time.sleep(1)
    go.set()
    reads.result()


may = {"zero-window": "certain", "retransmission": "certain", "time-wait": "certain", "slow-reader": "certain"}
expect = {
    "a": view(life(f"{B}:6379", "completed", process="fld-sub", closed_by="peer", findings={"zero-window": "certain"}, may=may),
              life(f"{B}:6379", "completed", process="fld-pub", closed_by="local", may=may)),
    "b": view(life(local=":6379", outcome="completed", process="redis-server", closed_by="local", findings={"zero-window": "certain"}, may=may),
              life(local=":6379", outcome="completed", process="redis-server", closed_by="peer", may=may)),
}
