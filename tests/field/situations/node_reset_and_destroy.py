# SPDX-License-Identifier: Apache-2.0
"""A Node server resets a connection on purpose (socket.resetAndDestroy()), with everything read.

Reported: node 47130: "I couldn't get resetAndDestroy to actually send a TCP RST".
Right: the process sent the RST by SO_LINGER 0; it read all, so unread data is not why.
"""
from field import *

need("node")
SERVER = """require('net').createServer((s) => { s.on('data', () => s.resetAndDestroy()); }).listen(7521)"""


def client():
    c = connect(B, 7521)
    c.sendall(b"hello")
    failed = error_of(c.recv, 1)
    c.close()
    return failed


def play(lab):
    lab.pair()
    node(lab, "b", SERVER, 7521)
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNRESET, "it was not reset")


expect = {
    "a": view(life(f"{B}:7521", "reset-by-peer", process="fld-cli", closed_by="peer", tx=5, rx=0, errno=errno.ECONNRESET, may={"reset-origin": "certain"})),
    "b": view(life(local=":7521", outcome="reset-by-local", process="node", closed_by="local", tx=0, rx=5, findings={"reset-origin": "certain"}, never=["unread"])),
}
