# SPDX-License-Identifier: Apache-2.0
"""A NAT gateway has forgotten an idle connection and answers the next segment with a RST in the server's name.

Reported: httpx 2975, istio 36499 (AWS NAT gateway, 350 s): "connection reset by peer", and the server knows nothing of it.
Right: the client is reset, and the RST is not the server's: its TTL is one more than that of all the server's segments. The server has the connection
open. The gateway made it.
"""
from field import *

need("nft")


def server(done):
    c = accepted(listen(7210))
    c.sendall(read_all(c, 5))
    done.wait()
    os._exit(0)


def client(ready, forgotten):
    c = connect(B, 7210)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    forgotten.wait()
    time.sleep(0.2)
    error_of(c.sendall, b"again")
    c.settimeout(5)
    failed = error_of(read_all, c, 5)
    c.close()
    return failed


def play(lab):
    lab.routed()
    ready, forgotten, done = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.watch("r", "--forwarded")
    lab.server("b", "fld-srv", server, 7210, done)
    talking = lab.actor("a", "fld-cli", client, ready, forgotten)
    ready.wait()
    lab.nft("r", "table ip f { chain c { type filter hook forward priority 0; tcp dport 7210 reject with tcp reset; }\n}")
    forgotten.set()
    lab.must(talking.result() == errno.ECONNRESET, "no reset")
    for watch in lab.watches:
        watch.stop()
    done.set()


quiet = ["a"]  # the server's last FIN is answered by a RST that the rule drops
expect = {
    "a": view(life(f"{B}:7210", ("reset-by-outsider", "reset-by-peer"), process="fld-cli", errno=errno.ECONNRESET, tx=lambda n: n >= 5, rx=5,
                   findings={"reset-origin": "likely"}, says=["TTL"], never=["ended by the peer"])),
    "r": view(life(f"{B}:7210", "reset-by-outsider", forwarded__joined=True, findings={"reset-origin": "certain", "forward-dropped": "certain"}, closed_by="none")),
}
