# SPDX-License-Identifier: Apache-2.0
"""An administrator ends a connection with `ss -K`.

Reported: ss -K; cockroach and haproxy operators; ECONNABORTED in the process.
Right: reset by this host, by ss and not by the process that owns the socket; its process gets ECONNABORTED (103).
"""
from field import *


def server():
    c = accepted(listen(7053))
    c.recv(10)
    error_of(c.recv, 10)
    c.close()


def client(ready):
    c = connect(B, 7053)
    c.sendall(b"hi")
    ready.set()
    failed = error_of(c.recv, 10)
    c.close()
    return failed


def play(lab):
    lab.pair()
    ready = Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7053)
    talking = lab.actor("a", "fld-cli", client, ready)
    ready.wait()
    time.sleep(0.1)
    lab.shell("a", "ss -K dport = :7053")
    lab.must(talking.result() == errno.ECONNABORTED, "ss did not end it")


expect = {
    "a": view(life(f"{B}:7053", "reset-by-local", process="fld-cli", closed_by="local", tx=2, errno=errno.ECONNABORTED, findings={"reset-origin": "certain"}, says=["\\bss\\b"],
                   never=["fld-cli\\S* called close", "unread"])),
    "b": view(life(local=":7053", outcome="reset-by-peer", process="fld-srv", closed_by="peer", rx=2, may={"reset-origin": "certain"})),
}
