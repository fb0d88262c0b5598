# SPDX-License-Identifier: Apache-2.0
"""redis works for two seconds at one command (KEYS *, a Lua script; here DEBUG SLEEP): all clients wait, a new one too.

Reported: by many users of redis: "redis timeouts" while the network is blamed.
Right: the handshake was made at once, by the kernel. The new connection waited for redis' accept(); nothing was lost.
"""
from field import *

need("redis-server")


def slow():
    c = connect(B, 6379)
    c.sendall(b"DEBUG SLEEP 2\r\n")
    read_all(c, 5)
    c.close()


def new():
    time.sleep(0.4)
    c = connect(B, 6379)
    c.sendall(b"PING\r\n")
    read_all(c, 7)
    c.close()


def impatient():
    time.sleep(0.4)
    c = connect(B, 6379, timeout=1)
    c.sendall(b"PING\r\n")
    failed = error_of(c.recv, 7)
    c.close()
    return failed


def play(lab):
    lab.pair()
    redis(lab, "b", 6379, "--enable-debug-command", "yes")
    lab.watch("a")
    lab.watch("b")
    ours = [lab.actor("a", name, func) for name, func in (("fld-slow", slow), ("fld-new", new), ("fld-impat", impatient))]
    lab.must([one.result() for one in ours][2] == errno.ETIMEDOUT, "it was answered")


expect = {
    "a": view(life(f"{B}:6379", "completed", process="fld-slow", rx=5), life(f"{B}:6379", "completed", process="fld-new", rx=7),
              life(f"{B}:6379", ("completed", "reset-by-local"), process="fld-impat", closed_by="local", may={"reset-origin": "certain"})),
    "b": view(life(local=":6379", outcome="completed", tx=5), life(local=":6379", findings={"slow-accept": "certain"},
                   may={"reset-origin": "certain", "write-after-peer-closed": "certain"}, count=2)),
}
