# SPDX-License-Identifier: Apache-2.0
"""A connection that is kept for later, as a pool does: no byte has passed, and keep-alive (1 s) goes both ways.

Reported: found by us: SND.UNA - 1 is the number of the SYN then, and the probes were taken for nothing.
Right: both ends: keep-alive probes sent, received and answered; completed.
"""
from field import *


def keep_alive(s):
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 5)):
        s.setsockopt(socket.IPPROTO_TCP, option, value)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def server():
    c = accepted(listen(7069))
    time.sleep(0.5)
    keep_alive(c)
    read_all(c)
    c.close()


def client():
    c = connect(B, 7069)
    keep_alive(c)
    time.sleep(3.3)
    c.close()


def play(lab):
    lab.routed()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7069)
    lab.actor("a", "fld-cli", client).result()
    served.result()


expect = {"a": view(life(f"{B}:7069", "completed", process="fld-cli", findings={"keepalive": "certain", "time-wait": "certain"})),
          "b": view(life(local=":7069", outcome="completed", process="fld-srv", findings={"keepalive": "certain"}))}
