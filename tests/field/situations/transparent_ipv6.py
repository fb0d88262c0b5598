# SPDX-License-Identifier: Apache-2.0
"""TPROXY over IPv6, and the destination sends to itself meanwhile: what the proxy does not take goes on.

Reported: squid and envoy as IPv6 interception proxies.
Right: the proxied connection is whole at the router; the one that is only forwarded is not the router's.
"""
from field import *

need("nft", "curl")


def proxy():
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    s.setsockopt(socket.IPPROTO_IPV6, 75, 1)  # IPV6_TRANSPARENT
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::", 15002))
    s.listen(4)
    c = accepted(s)
    c.recv(1000)
    c.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nproxy")
    c.close()


def origin():
    c = accepted(listen(8081, "::", family=socket.AF_INET6))
    c.recv(1000)
    c.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\norigin")
    c.close()


def play(lab):
    lab.netns("a", "r", "b")
    lab.link("a", "fd08::1/64", "r", "fd08::fe/64")
    lab.link("b", "fd09::2/64", "r", "fd09::fe/64")
    lab.ip("a", "-6 route add default via fd08::fe")
    lab.ip("b", "-6 route add default via fd09::fe")
    lab.sysctl("r", "net.ipv6.conf.all.forwarding", 1)
    lab.nft("r", "table ip6 m { chain p { type filter hook prerouting priority -150; tcp dport 8080 tproxy to :15002 meta mark set 1 accept; }\n}")
    lab.ip("r", "-6 rule add fwmark 1 lookup 100")
    lab.ip("r", "-6 route add local ::/0 dev lo table 100")
    lab.watch("r")
    lab.server("r", "fld-proxy", proxy, 15002)
    lab.server("b", "fld-origin", origin, 8081)
    lab.must(curl(lab, "a", "http://[fd09::2]:8081/") == (0, "origin"), "the origin did not answer")
    lab.must(curl(lab, "a", "http://[fd09::2]:8080/") == (0, "proxy"), "the proxy did not answer")


expect = {"r": view(life(None, "completed", local="[fd09::2]:8080", process="fld-proxy", role="passive", witnesses=["kernel", "wire"], wire__complete=True, nat=None),
                    never=["no matching socket"])}
