# SPDX-License-Identifier: Apache-2.0
"""redis probes an idle client (tcp-keepalive 1): each probe is answered.

Reported: redis' tcp-keepalive; idle connections through firewalls.
Right: keep-alive, answered, configured by redis. The connection is healthy.
"""
from field import *

need("redis-server")


def client():
    c = connect(B, 6379)
    c.sendall(b"PING\r\n")
    read_all(c, 7)
    time.sleep(3.5)
    c.sendall(b"PING\r\n")
    read_all(c, 7)
    c.close()


def play(lab):
    lab.pair()
    redis(lab, "b", 6379, "--tcp-keepalive", 1)
    lab.watch("a")
    lab.watch("b")
    lab.actor("a", "fld-cli", client)


expect = {
    "a": view(life(f"{B}:6379", "completed", process="fld-cli", closed_by="local", tx=12, rx=14, may={"keepalive": "certain"})),
    "b": view(life(local=":6379", outcome="completed", process="redis-server", closed_by="peer", findings={"keepalive": "certain"}, tx=14, rx=12, retransmits=0)),
}
