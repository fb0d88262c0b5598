# SPDX-License-Identifier: Apache-2.0
"""curl asks nginx, which keeps a connection to Node and asks it again and again.

Reported: nginx upstream keepalive with Node's keepAliveTimeout (5 s): 502s.
Right: three connections of curl, one of nginx; all complete. Each end of each has its own process.
"""
from field import *

need("nginx", "node", "curl")
SERVER = "require('http').createServer((q, s) => s.end('hello')).listen(8081)"


def play(lab):
    lab.pair()
    node(lab, "b", SERVER, 8081)
    proxy = nginx(lab, "b", 8080, "upstream u { server 127.0.0.1:8081; keepalive 2; } server { listen 8080; location / { proxy_pass http://u; proxy_http_version 1.1; "
                  "proxy_set_header Connection ''; } }")
    lab.watch("a")
    lab.watch("b")
    for _ in range(3):
        lab.must(curl(lab, "a", f"http://{B}:8080/") == (0, "hello"), "no answer")
    proxy.terminate()
    lab.output(proxy)
    time.sleep(0.1)


expect = {
    "a": view(life(f"{B}:8080", "completed", process="curl", closed_by="local", count=3)),
    "b": view(life(local=":8080", outcome="completed", process="nginx", role="passive", closed_by="peer", count=3),
              life("127.0.0.1:8081", "completed", process="nginx", role="active", closed_by="local"),
              life(local="127.0.0.1:8081", outcome="completed", process="node", role="passive", closed_by="peer")),
}
