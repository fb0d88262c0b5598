# SPDX-License-Identifier: Apache-2.0
"""A connection is open; then the server's own firewall refuses the client's segments with a RST (nft reject with tcp reset in input).

Reported: fail2ban and firewall reloads with REJECT --reject-with tcp-reset; "connection reset by peer" that no server sent.
Right: at the server the connection is still open: the RST is its firewall's, its TCP knows nothing of it. At the client: reset.
"""
from field import *

need("nft")


def server(done):
    c = accepted(listen(7092))
    c.sendall(read_all(c, 5))
    done.wait()
    time.sleep(0.2)
    os._exit(0)


def client(ready, blocked):
    c = connect(B, 7092)
    c.sendall(b"query")
    read_all(c, 5)
    ready.set()
    blocked.wait()
    c.sendall(b"query")
    c.settimeout(5)
    return error_of(c.recv, 5)


def play(lab):
    lab.pair()
    ready, blocked, done = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7092, done)
    asking = lab.actor("a", "fld-cli", client, ready, blocked)
    ready.wait()
    lab.nft("b", "table ip f { chain i { type filter hook input priority 0; tcp dport 7092 reject with tcp reset; }\n}")
    blocked.set()
    lab.must(asking.result() == errno.ECONNRESET, "not reset")
    for watch in lab.watches:
        watch.stop()
    done.set()


expect = {
    "a": view(life(f"{B}:7092", "reset-by-peer", process="fld-cli", errno=errno.ECONNRESET, may={"reset-origin": "likely", "retransmission": "certain"})),
    "b": view(life(local=":7092", outcome="open", process="fld-srv", findings={"reset-origin": "certain", "rx-dropped": "certain"}, says=["local firewall"])),
}
