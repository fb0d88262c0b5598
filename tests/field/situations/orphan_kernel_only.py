# SPDX-License-Identifier: Apache-2.0
"""Packets are not watched (--wire none), and the client's end waits in FIN_WAIT2 for a peer that does not close: tcp_fin_timeout ends it.

Reported: moby 27539 and its like, seen by tools that follow states only.
Right: no state shows whether the peer's FIN came to the mini-socket, so the kernel is asked. The one that was forgotten is not closed by both; the one whose
peer closed 0.2 s later is, and so is one that has just closed; what still waits as the run ends is open.
"""
from field import *


def server(done):
    s = listen(7271)
    late = accepted(s)
    never = accepted(s)
    late.recv(10)
    never.recv(10)
    time.sleep(0.3)
    late.close()
    still = accepted(s)
    soon = accepted(s)
    soon.recv(10)
    soon.recv(10)
    soon.close()
    done.wait(30)
    still.close()
    never.close()


def client(done, forgotten):
    late = connect(B, 7271, (A, 50001))
    never = connect(B, 7271, (A, 50002))
    late.sendall(b"req")
    never.sendall(b"req")
    late.close()
    never.close()
    forgotten.wait(30)
    still = connect(B, 7271, (A, 50003))
    still.close()
    soon = connect(B, 7271, (A, 50004))
    soon.sendall(b"req")
    soon.close()
    time.sleep(0.1)


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_fin_timeout", 3)
    lab.watch("a", "--wire", "none")
    done, forgotten = Signal(), Signal()
    lab.server("b", "fld-srv", server, 7271, done)
    client_actor = lab.actor("a", "fld-cli", client, done, forgotten)
    until(lambda: lab.sockets("a", "state fin-wait-2 sport = :50002"), 5, "FIN_WAIT2")
    until(lambda: not lab.sockets("a", "state fin-wait-2 sport = :50002"), 8, "the end of FIN_WAIT2")
    lab.must(not lab.sockets("a", "state time-wait sport = :50002"), "the peer's FIN came")
    time.sleep(0.7)
    forgotten.set()
    client_actor.result()
    lab.must(lab.sockets("a", "state fin-wait-2 sport = :50003"), "it does not wait in FIN_WAIT2")
    for watch in lab.watches:
        watch.stop()
    done.set()


expect = {"a": view(
    life(local=":50001", outcome="completed", process="fld-cli", wire=None, closed_by="local"),
    life(local=":50002", outcome="fin-wait2-timeout", process="fld-cli", wire=None, closed_by="local"),
    life(local=":50003", outcome="open", process="fld-cli", wire=None),
    life(local=":50004", outcome="completed", process="fld-cli", wire=None, closed_by="local"))}
