# SPDX-License-Identifier: Apache-2.0
"""Two processes listen on one port (SO_REUSEPORT).

Reported: nginx' reuseport, envoy's workers; the wrong one of the two is named.
Right: each connection belongs to the process that serves it.
"""
from field import *


def server(count):
    s = listen_beside_others(7061, 2)
    served = 0
    try:
        while True:
            c = accepted(s)
            c.sendall(count)
            read_all(c)
            c.close()
            served += 1
    except socket.timeout:
        return served


def client():
    answers = b""
    for _ in range(12):
        c = connect(B, 7061)
        answers += read_all(c, 1)
        c.close()
    return answers


def play(lab):
    lab.pair()
    lab.watch("b")
    one, two = lab.server("b", "fld-one", server, 7061, b"1"), lab.actor("b", "fld-two", server, b"2")
    until(lambda: len(lab.sockets("b", "sport = :7061", "-l")) == 2, 5, "two listeners")
    answers = lab.actor("a", "fld-cli", client).result()
    ours = [one.result(), two.result()]
    lab.must(ours == [answers.count(b"1"), answers.count(b"2")] and all(ours), f"both were to serve: {ours}")
    COUNTS.update({"fld-one": ours[0], "fld-two": ours[1]})


COUNTS = {"seen": {}}


def as_served(name):
    """No process is named more often than it served."""
    COUNTS["seen"][name] = COUNTS["seen"].get(name, 0) + 1
    return name in COUNTS and COUNTS["seen"][name] <= COUNTS[name]


expect = {"b": view(life(local=":7061", outcome="completed", process=as_served, tx=1, rx=0, closed_by="peer", count=12))}
