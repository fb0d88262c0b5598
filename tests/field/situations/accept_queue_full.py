# SPDX-License-Identifier: Apache-2.0
"""A server is stopped (SIGSTOP) with a backlog of 1; more clients come than fit.

Reported: gunicorn and php-fpm under load; ListenOverflows.
Right: the accept queue of that server is full. The clients whose handshake's last ACK was dropped, or whose SYN was, say nothing about a firewall.
"""
from field import *

need("curl")


def server():
    s = listen(7062, backlog=1)
    for _ in range(4):
        c = accepted(s)
        c.recv(100)
        c.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
        c.close()


def play(lab):
    lab.pair()
    lab.watch("b")
    stopped = lab.server("b", "fld-slow", server, 7062)
    stopped.kill(signal.SIGSTOP)
    clients = [lab.program("a", "curl", "-sS", f"http://{B}:7062/") for _ in range(4)]
    time.sleep(2.5)
    stopped.kill(signal.SIGCONT)
    for one in clients:
        lab.output(one)


expect = {"b": view(life(local=":7062", outcome="completed", process="fld-slow", findings={}, count=4,
                         may={"accept-queue-full": "certain", "slow-accept": "certain", "retransmission": "certain", "slow-handshake": "certain"}),
                    may={"accept-queue-full": "certain"}, events=[{"type": "finding", "rule": "accept-queue-full"}])}
