# SPDX-License-Identifier: Apache-2.0
"""A client sends a request and half-closes; haproxy passes that on; the answer comes back later.

Reported: envoy 2386, fteproxy 234, haproxy 541 ("echo x | nc host port").
Right: both connections complete; the half-closed ends wait for the answer, and are not stuck.
"""
from field import *

need("haproxy")
CONFIG = """defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen l
  bind :8000
  server s 10.9.0.2:7055
"""


def server():
    c = accepted(listen(7055))
    data = read_all(c)
    time.sleep(0.7)
    c.sendall(data.upper())
    c.close()


def client():
    c = connect(A, 8000)
    c.sendall(b"request")
    c.shutdown(socket.SHUT_WR)
    data = read_all(c)
    c.close()
    return data


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7055)
    proxy = haproxy(lab, "a", 8000, CONFIG)
    lab.must(lab.actor("a", "fld-cli", client).result() == b"REQUEST", "the answer got lost")
    proxy.terminate()
    lab.output(proxy)


expect = {
    "a": view(life(f"{A}:8000", "completed", process="fld-cli", role="active", closed_by="local", tx=7, rx=7),
              life(local=":8000", outcome="completed", process="haproxy", role="passive", closed_by="peer", tx=7, rx=7),
              life(f"{B}:7055", "completed", process="haproxy", role="active", closed_by="local", tx=7, rx=7)),
    "b": view(life(local=":7055", outcome="completed", process="fld-srv", role="passive", closed_by="peer", tx=7, rx=7)),
}
