# SPDX-License-Identifier: Apache-2.0
"""An administrator ends a listening socket by `ss -lK`: the connections that wait in its queue go with it.

Reported: ss -K with a filter that is too wide; its server goes on, and accept() fails with EINVAL.
Right: reset by this host; it was ss and not the server that closed the listener.
"""
from field import *


def server(killed):
    s = listen(7151)
    killed.wait()
    return error_of(s.accept)


def client():
    c = connect(B, 7151)
    failed = error_of(c.recv, 10)
    c.close()
    return failed


def play(lab):
    lab.pair()
    killed = Signal()
    lab.watch("b")
    listening = lab.server("b", "fld-srv", server, 7151, killed)
    waiting = lab.actor("a", "fld-cli", client)
    until(lambda: lab.sockets("b", "state established sport = :7151"), 5, "a connection")
    time.sleep(0.2)
    lab.shell("b", "ss -lK sport = :7151")
    killed.set()
    lab.must(waiting.result() == errno.ECONNRESET, "no RST came")
    lab.must(listening.result() == errno.EINVAL, "the listener was not ended")


expect = {"b": view(life(local=":7151", outcome="reset-by-local", process="fld-srv", closed_by="local", findings={"reset-origin": "certain"},
                         says=[r"The listener of fld-srv\[\d+\] was closed by another process", r"\bss\[\d+\] closed the listening socket"],
                         never=[r"fld-srv\[\d+\] closed"]))}
