# SPDX-License-Identifier: Apache-2.0
"""nginx is stopped at once (nginx -s stop) while a slow client downloads: the worker exits, and the kernel still delivers what it had.

Reported: nginx reload and stop reports: truncated downloads, "transfer closed with outstanding read data remaining".
Right: nginx's worker closed by exiting, a FIN behind what was queued; the client read all of that, and closed. Nobody reset.
"""
from field import *

need("nginx")


def client(half, go):
    c = socket.socket()
    c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    c.connect((B, 8082))
    c.settimeout(20)
    c.sendall(b"GET /big HTTP/1.0\r\n\r\n")
    c.recv(1000)
    half.set()
    go.wait()
    got = len(read_all(c))
    c.close()
    return got


def play(lab):
    lab.pair()
    lab.file("big", "x" * 8_000_000)
    server = nginx(lab, "b", 8082, f"server {{ listen 8082; root {lab.folder}; }}")
    lab.watch("a")
    lab.watch("b")
    half, go = Signal(), Signal()
    reads = lab.actor("a", "fld-cli", client, half, go)
    half.wait()
    server.terminate()
    server.wait(10)
    go.set()
    lab.must(reads.result() < 8_000_000, "all of it came")


may = {"zero-window": "certain", "retransmission": "certain", "time-wait": "certain"}
expect = {
    "a": view(life(f"{B}:8082", "completed", process="fld-cli", closed_by="peer", tx=21, may=may)),
    "b": view(life(local=":8082", outcome="completed", process="nginx", closed_by="local", rx=21, may=may, never=["reset"])),
}
