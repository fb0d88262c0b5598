# SPDX-License-Identifier: Apache-2.0
"""redis closes a client's connection by command (CLIENT KILL).

Reported: redis client-output-buffer-limit and timeout reports look the same.
Right: that connection is closed by redis, in order; the other one by redis-cli.
"""
from field import *

need("redis-server", "redis-cli")


def client(ready):
    c = connect(B, 6379)
    c.sendall(b"CLIENT SETNAME one\r\n")
    read_all(c, 5)
    ready.set()
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    redis(lab, "b", 6379)
    lab.watch("a")
    lab.watch("b")
    ready = Signal()
    waiting = lab.actor("a", "fld-cli", client, ready)
    ready.wait()
    code, text = lab.output(lab.program("a", "redis-cli", "-h", B, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
    lab.must(code == 0 and text.strip() == "1", f"redis-cli: {text}")
    waiting.result()


expect = {
    "a": view(life(f"{B}:6379", "completed", process="fld-cli", closed_by="peer"), life(f"{B}:6379", "completed", process="redis-cli", closed_by="local")),
    "b": view(life(local=":6379", outcome="completed", process="redis-server", closed_by="local"),
              life(local=":6379", outcome="completed", process="redis-server", closed_by="peer")),
}
