# SPDX-License-Identifier: Apache-2.0
"""A connection is reset, and who was reset keeps the descriptor. The client connects again from the same port; only then the old one is closed.

Reported: connection pools that notice a dead connection late, behind a fixed source port (NFS, BGP).
Right: two connections, whichever side aborts. What is closed late takes nothing from the second one: every segment of that is counted.
"""
from field import *


def server(port, aborts, go_on):
    s = listen(port)
    first = accepted(s)
    first.sendall(read_all(first, 5))
    abort(first) if aborts else error_of(first.recv, 1)
    second = accepted(s)
    for _ in range(3):
        second.sendall(read_all(second, 7))
    first.close()
    go_on.wait()
    for _ in range(2):
        second.sendall(read_all(second, 7))
    second.recv(1)
    second.close()


def client(port, aborts, go_on):
    first = connect(B, port, (A, port - 2000))
    first.sendall(b"hello")
    read_all(first, 5)
    abort(first) if aborts else error_of(first.recv, 1)
    second = connect(B, port, (A, port - 2000))
    for _ in range(3):
        second.sendall(b"goodbye")
        read_all(second, 7)
    first.close()
    time.sleep(0.2)
    go_on.set()
    for _ in range(2):
        second.sendall(b"goodbye")
        read_all(second, 7)
    second.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    for port, by_client in ((7653, False), (7654, True)):
        go_on = Signal()
        serving = lab.server("b", "fld-srv", server, port, port, not by_client, go_on)
        lab.actor("a", "fld-cli", client, port, by_client, go_on).result()
        serving.result()


def two(remote, local, outcome, process, closes, second):
    return [life(remote, outcome, local=f":{local}", process=process, closed_by=closes, tx=5, rx=5, retransmits=0, findings={"reset-origin": "certain"}),
            life(remote, "completed", local=f":{local}", process=process, closed_by=second, tx=35, rx=35, retransmits=0,
                 wire__tx_bytes=35, wire__rx_bytes=35, wire__complete=True)]


expect = {
    "a": view(*two(f"{B}:7653", 5653, "reset-by-peer", "fld-cli", "peer", "local"), *two(f"{B}:7654", 5654, "reset-by-local", "fld-cli", "local", "local")),
    "b": view(*two(f"{A}:5653", 7653, "reset-by-local", "fld-srv", "local", "peer"), *two(f"{A}:5654", 7654, "reset-by-peer", "fld-srv", "peer", "peer")),
}
