# SPDX-License-Identifier: Apache-2.0
"""Two processes listen on one port (SO_REUSEPORT); one ends while a connection waits in its queue.

Reported: rolling reloads with reuseport (nginx, haproxy before 1.8, envoy): now and then "connection reset by peer", although somebody listens all the time.
Right: the kernel resets the connections of the closed listener's queue; the other one's are served, by the other process. Of two listeners on one port
nobody says which one had a connection that no process has used.
"""
from field import *


def listener(stop, serves):
    s = listen_beside_others(7202, 20)
    if not serves:
        stop.wait()
        s.close()
        time.sleep(0.3)
        return 0
    stop.wait()
    s.settimeout(1)
    served = 0
    try:
        while True:
            c = accepted(s)
            c.sendall(read_all(c, 5))
            c.close()
            served += 1
    except socket.timeout:
        return served


def client(stop):
    ours = [connect(B, 7202) for _ in range(12)]
    for c in ours:
        c.sendall(b"hello")
    time.sleep(0.1)
    stop.set()
    failed = []
    for c in ours:  # in the order in which they are served
        failed.append(error_of(c.recv, 5))
        c.close()
    return failed


def play(lab):
    lab.pair()
    stop = Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-old", listener, 7202, stop, False)
    new = lab.actor("b", "fld-new", listener, stop, True)
    until(lambda: len(lab.sockets("b", "sport = :7202", "-l")) == 2, 5, "two listeners")
    failed = lab.actor("a", "fld-cli", client, stop).result()
    served = new.result()
    lab.must(failed.count(errno.ECONNRESET) == 12 - served and 0 < served < 12, f"both listeners were to have some: {failed}, {served} served")


expect = {
    "a": view(life(f"{B}:7202", ("reset-by-peer", "completed"), process="fld-cli", tx=5, may={"reset-origin": "certain"}, count=12)),
    "b": view(life(local=":7202", outcome=("reset-by-local", "completed"), rx=5, may={"reset-origin": "certain"}, never=["fld-new.*(reset|RST)", "not identified"], count=12)),
}
