# SPDX-License-Identifier: Apache-2.0
"""A download through a router whose firewall cuts the client off in the middle: a RST for the client, made by the router.

Reported: "connection reset" in the middle of downloads behind a firewall that inspects (reject with tcp-reset on a match).
Right: the RST was made by the router. What the server had sent is counted to the end, although no event of its side came with the end.
"""
from field import *

need("nft")

SIZE = 200_000


def client(here, go):
    c = connect(B, 7067)
    read_all(c, SIZE)
    here.set()
    go.wait()
    c.sendall(b"forbidden")
    return error_of(read_all, c, 1)


def server(done):
    c = accepted(listen(7067))
    c.sendall(b"x" * SIZE)
    done.wait()
    abort(c)


def play(lab):
    lab.routed()
    lab.nft("r", "table ip f { chain c { type filter hook forward priority 0; }; }")
    here, go, done = Signal(), Signal(), Signal()
    lab.server("b", "fld-srv", server, 7067, done)
    lab.watch("r", "--forwarded")
    lab.watch("r", "--forwarded", "-i", "to-b", name="server-side")
    lab.watch("r", "--forwarded", "-i", "to-a", name="client-side")
    talks = lab.actor("a", "fld-cli", client, here, go)
    here.wait()
    lab.nft("r", "add rule ip f c tcp dport 7067 reject with tcp reset")
    go.set()
    lab.must(talks.result() == errno.ECONNRESET, "it was not reset")
    done.set()


whole = {"rx": SIZE, "tx": (0, 18)}
expect = {
    "r": view(life(f"{B}:7067", "reset-by-outsider", closed_by="none", findings={"reset-origin": "certain", "forward-dropped": "certain"}, wire__complete=True,
                   says=["this machine made the RST"], **whole)),
    # The RST left on the other side: nobody saw it.
    "server-side": view(life(f"{B}:7067", "unknown", findings={"forward-dropped": "certain"}, wire__complete=False, never=["still open"], **whole)),
    "client-side": view(life(f"{B}:7067", "reset-by-outsider", findings={"reset-origin": "certain", "forward-dropped": "certain"}, **whole))}
