# SPDX-License-Identifier: Apache-2.0
"""The last ACK of a close is dropped behind the interface: the server's kernel repeats its FIN for seconds, and a tracer without the kernel sees all of it.

Reported: firewalls whose conntrack forgets a closing connection too early (nf_conntrack_tcp_timeout_last_ack).
Right: one connection. What comes again behind its end is not another one.
"""
from field import *

need("nft")


def server(cut):
    c = accepted(listen(7443))
    c.sendall(b"w")
    read_all(c)
    cut.wait()
    c.close()


def client(closed):
    c = connect(B, 7443)
    c.recv(1)
    c.shutdown(socket.SHUT_WR)
    time.sleep(0.2)
    closed.set()
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    lab.sysctl("b", "net.ipv4.tcp_orphan_retries", 3)
    cut, closed = Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    lab.watch("b", "--kernel", "off", name="wire")
    serving = lab.server("b", "fld-srv", server, 7443, cut)
    lab.actor("a", "fld-cli", client, closed)
    closed.wait()
    lab.nft("b", "table ip f { chain i { type filter hook prerouting priority -300; tcp dport 7443 drop; }\n}")
    cut.set()
    serving.result()
    until(lambda: not lab.sockets("b", "state last-ack sport = :7443"), 12, "the kernel to give up")


may = {"retransmission": "certain"}
expect = {
    "a": view(life(f"{B}:7443", "completed", process="fld-cli", closed_by="local", may=may)),
    "b": view(life(local=":7443", outcome="retransmit-timeout", process="fld-srv", findings={"retransmission": "certain", "rx-dropped": "certain"})),
    "wire": view(life(local=":7443", outcome="completed", closed_by="peer", may={"retransmission": "likely"})),
}
