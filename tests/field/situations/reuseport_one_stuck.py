# SPDX-License-Identifier: Apache-2.0
"""Two workers listen on one port (SO_REUSEPORT); one of them hangs (SIGSTOP): half of the clients wait, and give up.

Reported: envoy, nginx reuseport, gunicorn --reuse-port: "some requests time out while the server idles".
Right: the connections that nobody accepted waited at the worker that hangs, and never at the other one.
"""
from field import *


def worker(serve):
    s = listen_beside_others(7814, 4)
    served = 0
    try:
        while True:
            c = accepted(s)
            c.sendall(read_all(c, 5))
            read_all(c)
            c.close()
            served += 1
    except socket.timeout:
        return served


def client():
    answered = 0
    ours = [connect(B, 7814) for _ in range(10)]
    for c in ours:
        c.sendall(b"hello")
    time.sleep(1.8)
    for c in ours:
        c.settimeout(0.02)
        answered += error_of(c.recv, 5) == 0
        c.close()
    return answered


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    stuck = lab.server("b", "fld-stuck", worker, 7814, False)
    lab.actor("b", "fld-works", worker, True)
    until(lambda: len(lab.sockets("b", "sport = :7814", "-l")) == 2, 5, "two listeners")
    stuck.kill(signal.SIGSTOP)
    answered = lab.actor("a", "fld-cli", client).result()
    time.sleep(0.3)
    stuck.kill(signal.SIGKILL)
    lab.must(0 < answered < 10, f"{answered} were answered")


expect = {
    "a": view(life(f"{B}:7814", ("completed", "reset-by-peer"), process="fld-cli", count=10, may={"reset-origin": "certain"})),
    "b": view(life(local=":7814", outcome=("completed", "reset-by-local"), count=10,
                   may={"slow-accept": "certain", "reset-origin": "certain", "close-wait-stuck": "certain"},
                   never=["fld-works.*(not accept|unaccepted|reset)"])),
}
