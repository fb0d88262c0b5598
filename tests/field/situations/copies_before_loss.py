# SPDX-License-Identifier: Apache-2.0
"""The network delivers one segment twice, and loses another one: the first D-SACK is of the copy, the retransmission was needed.

Reported: D-SACKs that say nothing of the sender's retransmissions (TCPDSACKIgnoredDubious), as few of them as retransmissions.
Right: one retransmission at the client. Where the copy came first nothing was in vain; where the loss came first the D-SACK
can be of either, so nothing certain is said of it.
"""
from field import *

need("nft", "nstat")
COPY = "dup to 10.9.0.2 device to-b"
LOSS = "drop"


def rule(port, verdict):
    hook = "postrouting" if verdict == COPY else "forward"
    return (f"table ip f; delete table ip f; table ip f {{ chain f {{ type filter hook {hook} priority 0; tcp dport {port} tcp flags & psh == psh "
            f"limit rate 1/hour burst 1 packets {verdict}; }}\n}}")


def server(port):
    c = accepted(listen(port))
    read_all(c, 7)
    c.sendall(b"ok")
    read_all(c)
    c.close()


def client(port, pauses):
    c = connect(B, port)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    c.sendall(b"a")
    for piece, (reached, goes_on) in zip((b"bb", b"cccc"), pauses):
        time.sleep(0.3)
        reached.set()
        goes_on.wait()
        c.sendall(piece)
    c.recv(2)
    c.close()


def play(lab):
    lab.routed()
    lab.watch("a")
    lab.watch("b")
    for port, verdicts in ((7921, (COPY, LOSS)), (7922, (LOSS, COPY))):
        pauses = [(Signal(), Signal()) for _ in verdicts]
        lab.server("b", "fld-srv", server, port, port)
        asking = lab.actor("a", "fld-cli", client, port, pauses)
        for (reached, goes_on), verdict in zip(pauses, verdicts):
            reached.wait()
            lab.nft("r", rule(port, verdict))
            goes_on.set()
        asking.result()
        lab.nft("r", "delete table ip f")
    lab.must(lab.nstat("a", "TcpExtTCPDSACKRecv") == 2 and lab.nstat("a", "TcpRetransSegs") == 2, "not one copy and one loss each")


again = {"findings": {"retransmission": "certain"}, "may": {"late": "certain"}}
expect = {
    "a": view(life(f"{B}:7921", "completed", process="fld-cli", tx=7, never=["twice", "in vain"], **again),
              life(f"{B}:7922", "completed", process="fld-cli", tx=7, says=["in vain, or the network made copies"], **again)),
    "b": view(life(local=":7921", outcome="completed", process="fld-srv", rx=7), life(local=":7922", outcome="completed", process="fld-srv", rx=7)),
}
