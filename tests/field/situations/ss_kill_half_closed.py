# SPDX-License-Identifier: Apache-2.0
"""An operator destroys (ss -K) a half-closed socket in FIN_WAIT2 that its process still reads from.

Reported: "ss -K state fin-wait-2" to clean up leaking proxies.
Right: somebody else destroyed it; its process did not close. The peer is reset.
"""
from field import *


def server(done):
    c = accepted(listen(7667))
    read_all(c)
    done.wait()
    failed = error_of(c.sendall, b"late")
    c.close()
    return failed


def client(ready):
    c = connect(B, 7667)
    c.sendall(b"hello")
    c.shutdown(socket.SHUT_WR)
    time.sleep(0.2)
    ready.set()
    failed = error_of(read_all, c)
    c.close()
    return failed


def play(lab):
    lab.pair()
    ready, done = Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7667, done)
    talking = lab.actor("a", "fld-cli", client, ready)
    ready.wait()
    lab.shell("a", "ss -K dport = :7667")
    if lab.sockets("a", "state fin-wait-2 dport = :7667"):
        raise Skip("ss -K destroys nothing here")
    lab.must(talking.result() in (errno.ECONNABORTED, 0), "no error")
    done.set()


expect = {
    "a": view(life(f"{B}:7667", "reset-by-local", process="fld-cli", tx=5, rx=0, findings={"reset-origin": "certain"}, says=["destroyed"], never=["peer sent data"])),
    "b": view(life(local=":7667", outcome="reset-by-peer", process="fld-srv", rx=5, may={"reset-origin": "certain"})),
}
