# SPDX-License-Identifier: Apache-2.0
"""A NAT gateway forgets a connection (conntrack -D); the client then breaks it off, and its RST leaves with the client's own address.

Reported: moby 18630, docker/for-linux 540, containernetworking/plugins 816: "RST packets are not masqueraded".
Right: one life, translated as it was; the RST left this machine, and it left untranslated. What the server then sends finds no connection here: the
gateway's own TCP answers it.
"""
from field import *

need("nft", "conntrack")


def client(ready, go):
    c = connect(B, 7060)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    go.wait()
    abort(c)


def server(go):
    c = accepted(listen(7060))
    c.sendall(read_all(c, 5))
    go.wait()
    time.sleep(0.5)


def play(lab):
    lab.routed()
    lab.nft("r", "table ip n { chain p { type nat hook postrouting priority 100; oifname \"to-b\" masquerade; }\n}")
    ready, go, done = Signal(), Signal(), Signal()
    lab.watch("r", "--forwarded")
    lab.server("b", "fld-srv", server, 7060, done)
    lab.actor("a", "fld-cli", client, ready, go)
    ready.wait()
    lab.shell("r", "conntrack -D -p tcp --dport 7060")
    go.set()
    time.sleep(0.3)
    done.set()


expect = {"r": view(life(f"{B}:7060", local="10.8.0.1", nat__local__ip="10.9.0.254", forwarded__joined=True, forwarded__untranslated=1,
                         forwarded__lost_to_server=0, may={"reset-origin": "certain", "forward-dropped": "certain"}, says=["left untranslated"]))}
