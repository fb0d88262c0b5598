# SPDX-License-Identifier: Apache-2.0
"""A nginx worker is killed (SIGKILL) while it waits for the rest of an upload.

Reported: OOM kills of workers.
Right: nothing was unread, so its kernel sends a FIN: the client sees an ordinary close. The process that died is named.
"""
from field import *

need("nginx")


def upload(ready):
    c = connect(B, 8080)
    c.sendall(b"POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 900000\r\n\r\n" + b"x" * 1000)
    ready.set()
    failed = error_of(read_all, c)
    c.close()
    return failed


def play(lab):
    lab.pair()
    server = nginx(lab, "b", 8080, f"server {{ listen 8080; location / {{ proxy_pass http://{A}:9; }} }}")
    worker = worker_of(server)
    lab.watch("a")
    lab.watch("b")
    ready = Signal()
    talking = lab.actor("a", "fld-cli", upload, ready)
    ready.wait()
    time.sleep(0.3)
    os.kill(worker, signal.SIGKILL)
    talking.result()


expect = {
    "a": view(life(f"{B}:8080", "completed", process="fld-cli", closed_by="peer", rx=0)),
    "b": view(life(local=":8080", outcome="completed", process="nginx", closed_by="local", tx=0, says=["signal 9|SIGKILL"])),
}
