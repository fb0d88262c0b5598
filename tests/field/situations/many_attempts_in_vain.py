# SPDX-License-Identifier: Apache-2.0
"""A service asks a dead backend again and again, beside a connection that is idle for long. The tracer has room for 2,048 flows.

Reported: retry loops against a refused port, and peers that reset what was closed, on hosts with long-lived connections.
Right: what is over leaves the flow map (some give way before, on a busy processor): the idle connection keeps its flow, and its packets are all counted.
"""
from field import *

COUNT = 1500


def server():
    talks, resets = listen(7801), listen(7803, backlog=2 * COUNT)
    c = accepted(talks)
    c.sendall(read_all(c, 5))
    for _ in range(COUNT):
        r = accepted(resets)
        read_all(r)
        abort(r)
    c.sendall(read_all(c, 5))
    read_all(c)
    c.close()


def client():
    c = connect(B, 7801)
    c.sendall(b"hello")
    read_all(c, 5)
    for _ in range(COUNT):  # blocking, so that the kernel disconnects it (__inet_stream_connect())
        s = socket.socket()
        error_of(s.connect, (B, 7802))
        s.close()
    for _ in range(COUNT):
        s = connect(B, 7803)
        s.close()
    c.sendall(b"hello")
    read_all(c, 5)
    c.close()


def play(lab):
    lab.pair()
    lab.watch("a", "--flows", "2048")
    serves = lab.server("b", "fld-srv", server, 7801)
    lab.actor("a", "fld-cli", client).result()
    serves.result()


# One stays open in the kernel, too: where the RST finds the socket in the moment in which it becomes a mini-socket (TCP_CLOSE).
expect = {"a": view(life(f"{B}:7801", "completed", process="fld-cli", closed_by="local", tx=10, rx=10, wire__complete=True, wire__tx_bytes=10, wire__rx_bytes=10),
                    others=["refused", "reset-by-peer", "open"], may={"reset-origin": "certain", "time-wait": "certain"}, summary={"flows_full": (0, 300)})}
