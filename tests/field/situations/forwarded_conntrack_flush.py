# SPDX-License-Identifier: Apache-2.0
"""A strict NAT gateway (nf_conntrack_tcp_loose 0) loses its table; the client goes on, and its data leaves with its own address. The server answers by RST.

Reported: a gateway that fails over without its peer's table; "connection reset by peer" after a firewall restart.
Right: one life, translated as it was; the client's data left untranslated, and the RST came from the server's side: at most likely the server's.
"""
from field import *

need("nft", "conntrack")


def client(ready, go):
    c = connect(B, 7062)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    go.wait()
    c.settimeout(3)
    c.sendall(b"world")
    return error_of(read_all, c, 5)


def server(done):
    c = accepted(listen(7062))
    c.sendall(read_all(c, 5))
    done.wait()


def play(lab):
    lab.routed()
    lab.nft("r", "table ip n { chain p { type nat hook postrouting priority 100; oifname \"to-b\" masquerade; }\n}")
    lab.sysctl("r", "net.netfilter.nf_conntrack_tcp_loose", 0)
    ready, go, done = Signal(), Signal(), Signal()
    lab.watch("r", "--forwarded")
    lab.server("b", "fld-srv", server, 7062, done)
    talks = lab.actor("a", "fld-cli", client, ready, go)
    ready.wait()
    lab.shell("r", "conntrack -F")
    go.set()
    lab.must(talks.result() == errno.ECONNRESET, "the client was not reset")
    done.set()


expect = {"r": view(life(f"{B}:7062", "reset-by-peer", local="10.8.0.1", nat__local__ip="10.9.0.254", forwarded__joined=True,
                         forwarded__untranslated=lambda found: found >= 1, forwarded__lost_to_server=0, findings={"reset-origin": "likely"},
                         may={"retransmission": "likely", "forward-dropped": "certain"}, says=["left untranslated"]),
                  may={"stray-segment": "certain"})}  # the server's FIN, if it comes before the end
