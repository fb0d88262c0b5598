# SPDX-License-Identifier: Apache-2.0
"""A router's proxy accepts connections to addresses that are not its own (TPROXY, IP_TRANSPARENT).

Reported: haproxy 3192, envoy 15402, cilium 8923.
Right: at the router one connection whose local address is the foreign one; it belongs to the proxy. Nothing is translated.
"""
from field import *

need("nft", "curl")


def proxy():
    s = socket.socket()
    s.setsockopt(socket.SOL_IP, 19, 1)  # IP_TRANSPARENT
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("0.0.0.0", 15001))
    s.listen(4)
    c = accepted(s)
    c.recv(1000)
    c.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nproxy")
    c.close()


def play(lab):
    lab.routed()
    lab.nft("r", "table ip m { chain p { type filter hook prerouting priority -150; tcp dport 8080 tproxy to :15001 meta mark set 1 accept; }\n}")
    lab.ip("r", "rule add fwmark 1 lookup 100")
    lab.ip("r", "route add local 0.0.0.0/0 dev lo table 100")
    lab.watch("r")
    lab.server("r", "fld-proxy", proxy, 15001)
    lab.must(curl(lab, "a", f"http://{B}:8080/") == (0, "proxy"), "the proxy did not answer")


expect = {"r": view(life("10.8.0.1", "completed", local=f"{B}:8080", process="fld-proxy", role="passive", witnesses=["kernel", "wire"], wire__complete=True, nat=None),
                    never=["no matching socket"])}
