# SPDX-License-Identifier: Apache-2.0
"""A server starts a helper that inherits the client's socket; the server closes its own descriptor, and the client waits for an end that does not come.

Reported: subprocesses without close-on-exec (Python 2, CGI, init scripts): "close() does not close", FIN minutes later.
Right: close() by the server ended nothing, for the helper had the socket open: the FIN leaves when the helper ends. Completed, closed here first.
"""
from field import *


def server():
    s = listen(7212)
    c = accepted(s)
    s.close()
    c.sendall(read_all(c, 5))
    helper = os.fork()
    if helper == 0:
        ctypes.CDLL(None).prctl(15, b"fld-helper", 0, 0, 0)
        time.sleep(1.2)
        os._exit(0)
    c.close()
    os.waitpid(helper, 0)
    time.sleep(0.3)


def client():
    c = connect(B, 7212)
    c.sendall(b"hello")
    read_all(c, 5)
    begin = time.monotonic()
    read_all(c)
    c.close()
    return time.monotonic() - begin


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7212)
    waited = lab.actor("a", "fld-cli", client).result()
    lab.must(waited > 1, f"the FIN came after {waited} s")


expect = {
    "a": view(life(f"{B}:7212", "completed", process="fld-cli", tx=5, rx=5, closed_by="peer")),
    "b": view(life(local=":7212", outcome="completed", process=lambda name: name in ("fld-srv", "fld-helper"), tx=5, rx=5, closed_by="local",
                   duration_ns=lambda n: n > 1_000_000_000)),
}
