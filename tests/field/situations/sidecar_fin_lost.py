# SPDX-License-Identifier: Apache-2.0
"""A sidecar has half-closed its side; conntrack forgets the redirected connection before the application closes: its FIN is not redirected any more.

Reported: istio 43297 (nf_conntrack_tcp_timeout_close_wait): two sockets leak in the sidecar for an hour.
Right: the application closed, after the peer; its FIN went to the address it had named, where nobody knows the connection. The sidecar never had it.
"""
from field import *

need("nft", "conntrack")


def sidecar(done):
    c = accepted(listen(7661))
    c.sendall(read_all(c, 5))
    c.shutdown(socket.SHUT_WR)
    done.wait()
    os._exit(0)


def application(ready, forgotten):
    c = connect(B, 7660)
    c.sendall(b"hello")
    read_all(c)
    ready.set()
    forgotten.wait()
    c.close()


def play(lab):
    lab.pair()
    lab.sysctl("a", "net.ipv4.tcp_orphan_retries", 2)
    lab.nft("a", "table ip n { chain o { type nat hook output priority -100; tcp dport 7660 redirect to :7661; }\n}")
    lab.nft("b", "table ip f { chain i { type filter hook prerouting priority -300; tcp dport 7660 drop; }\n}")
    ready, forgotten, done = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.server("a", "fld-sidecar", sidecar, 7661, done)
    using = lab.actor("a", "fld-app", application, ready, forgotten)
    ready.wait()
    time.sleep(0.2)  # for the ACK of the sidecar's FIN
    lab.shell("a", "nft delete table ip n; conntrack -D -p tcp --dport 7660 >/dev/null 2>&1", check=False)
    forgotten.set()
    using.result()
    time.sleep(2.5)
    for watch in lab.watches:
        watch.stop()
    done.set()


expect = {"a": view(life(f"{B}:7660", ("retransmit-timeout", "open"), process="fld-app", role="active", tx=5, rx=5, findings={"retransmission": "certain"},
                         may={"half-open": "likely", "path-dead": "likely"}, never=["both sides have closed"]),
                    life(local=":7661", outcome="open", process="fld-sidecar", role="passive", may={"peer-not-closing": "likely"}, never=["both sides have closed"]))}
