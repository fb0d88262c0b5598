# SPDX-License-Identifier: Apache-2.0
"""haproxy checks a server's port: connect, then RST instead of a FIN, every 400 ms.

Reported: haproxy 560, DotNetty 470, netty 6029, riemann 828: "connection reset by peer" in the server's log.
Right: haproxy's kernel sends the RST, on purpose (it saves TIME_WAIT). The server: reset by the peer, no data.
"""
from field import *

need("haproxy", "nginx")
CONFIG = """defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen l
  bind :8000
  server s 10.9.0.2:8080 check inter 400ms
"""


def play(lab):
    lab.pair()
    nginx(lab, "b", 8080, "server { listen 8080; location / { return 200 'ok'; } }")
    lab.watch("a")
    lab.watch("b")
    proxy = haproxy(lab, "a", 8000, CONFIG)
    time.sleep(1.5)
    proxy.terminate()
    lab.output(proxy)


some = (2, 9)
# Whose the connections are at the server is open: nginx never accepted some, and two processes hold its listener.
expect = {
    "a": view(life(f"{B}:8080", "reset-by-local", process="haproxy", role="active", closed_by="local", tx=0, rx=0, findings={"reset-origin": "certain"}, count=some)),
    "b": view(life(local=":8080", outcome="reset-by-peer", role="passive", closed_by="peer", tx=0, rx=0, may={"reset-origin": "certain"}, count=some)),
}
