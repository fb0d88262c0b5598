# SPDX-License-Identifier: Apache-2.0
"""As reuseport_closes, with net.ipv4.tcp_migrate_req: the kernel gives what waits in the closed listener's queue to the other one.

Reported: the kernel's own answer to lost connections at reloads (Linux 5.14).
Right: nothing is reset; every connection completes, served by the process that is left.
"""
from field import *
from reuseport_closes import client, listener


def play(lab):
    lab.pair()
    lab.sysctl("b", "net.ipv4.tcp_migrate_req", 1)
    stop = Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-old", listener, 7202, stop, False)
    new = lab.actor("b", "fld-new", listener, stop, True)
    until(lambda: len(lab.sockets("b", "sport = :7202", "-l")) == 2, 5, "two listeners")
    failed = lab.actor("a", "fld-cli", client, stop).result()
    lab.must(failed == [0] * 12 and new.result() == 12, f"all were to migrate: {failed}")


expect = {
    "a": view(life(f"{B}:7202", "completed", process="fld-cli", tx=5, rx=5, count=12)),
    "b": view(life(local=":7202", outcome="completed", process="fld-new", tx=5, rx=5, count=12)),
}
