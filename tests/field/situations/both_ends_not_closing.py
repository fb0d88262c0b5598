# SPDX-License-Identifier: Apache-2.0
"""Both ends on this machine: the client closes, the server leaks its descriptor.

Reported: connection pools that fill up with CLOSE_WAIT beside FIN_WAIT2 on the same host.
Right: the client's finding names the server's process, and which descriptor it has not closed.
"""
from field import *


def server(done):
    c = accepted(listen(7103, "127.0.0.1"))
    read_all(c, 5)
    done.wait()
    os._exit(0)


def client(done):
    c = connect("127.0.0.1", 7103)
    c.sendall(b"query")
    c.shutdown(socket.SHUT_WR)
    time.sleep(3)
    done.set()
    os._exit(0)


def play(lab):
    lab.netns("a")
    lab.watch("a", "--stuck-after", 1)
    done = Signal()
    lab.server("a", "fld-srv", server, 7103, done)
    lab.actor("a", "fld-cli", client, done)


expect = {"a": view(
    life(remote="127.0.0.1:7103", outcome="completed", process="fld-cli", closed_by="local", findings={"peer-not-closing": "likely"}, peer__comm="fld-srv",
         says=[r"at the other end.*fld-srv"]),
    life(local="127.0.0.1:7103", outcome="completed", process="fld-srv", closed_by="peer", findings={"close-wait-stuck": "certain"}))}
