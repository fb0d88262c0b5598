# SPDX-License-Identifier: Apache-2.0
"""A Node server answers an upload with 413 and closes while the body is still coming: the RST can take the answer from the client.

Reported: jetty 12079, Rocket 2783, akka-http 1439, ureq 676.
Right: Node closed with unread data, so its kernel sent a RST. The client: reset by the peer.
"""
from field import *

need("node")
SERVER = """require('http').createServer((q, s) => { q.pause(); s.writeHead(413, {Connection: 'close'}); s.end('no', () => q.socket.destroy()); }).listen(8080)"""


def client():
    c = connect(B, 8080)
    failed = error_of(c.sendall, b"POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 9_000_000) or error_of(read_all, c)
    c.close()
    return failed


def play(lab):
    lab.pair()
    node(lab, "b", SERVER, 8080)
    lab.watch("a")
    lab.watch("b")
    lab.actor("a", "fld-cli", client).result()


may = {"zero-window": "certain", "retransmission": "certain"}
expect = {
    "a": view(life(f"{B}:8080", "reset-by-peer", process="fld-cli", role="active", may={"reset-origin": "certain", "write-after-peer-closed": "certain", **may})),
    "b": view(life(local=":8080", outcome="reset-by-local", process="node", role="passive", findings={"reset-origin": "certain"}, may=may)),
}
