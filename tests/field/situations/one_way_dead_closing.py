# SPDX-License-Identifier: Apache-2.0
"""Only the way to the server fails; the client closes meanwhile, and the server gives up its silent client seconds later: the FINs cross.

Reported: server-side idle timeouts beside "connection hangs" at the client; one direction of a tunnel or of a bonded link that is dead.
Right: the peer's FIN came, so the path is not dead in both directions. The client closed first, by seconds.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7449))
    c.sendall(b"w")
    c.recv(1)
    c.settimeout(4)
    failed = error_of(c.recv, 1)
    c.close()
    return failed


def client(ready, cut):
    c = connect(B, 7449)
    c.recv(1)
    c.sendall(b"1")
    time.sleep(0.8)
    ready.set()
    cut.wait()
    c.sendall(b"2")
    c.close()


def play(lab):
    lab.pair()
    ready, cut = Signal(), Signal()
    lab.watch("a")
    lab.watch("a", "--kernel", "off", name="wire")
    serving = lab.server("b", "fld-srv", server, 7449)
    lab.actor("a", "fld-cli", client, ready, cut)
    ready.wait()
    lab.nft("b", "table ip f { chain i { type filter hook prerouting priority -300; tcp dport 7449 drop; }\n}")
    cut.set()
    lab.must(serving.result() == errno.ETIMEDOUT, "the server got something")
    until(lambda: lab.sockets("a", "state closing dport = :7449"), 5, "the client to get the FIN")


expect = {
    "a": view(life(f"{B}:7449", "open", process="fld-cli", closed_by="local", findings={"retransmission": "certain"}, may={"retransmission": "certain"})),
    "wire": view(life(f"{B}:7449", "open", closed_by="local", may={"retransmission": "likely"})),
}
