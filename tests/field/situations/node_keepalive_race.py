# SPDX-License-Identifier: Apache-2.0
"""nginx's kept upstream connection meets Node's keepAliveTimeout: Node's process is busy when it is over, and its FIN crosses the next request.

Reported: node 20256, 27363, 17749 and 26166: 502s behind load balancers.
Right: Node closed with a request unread, so its kernel sends a RST for it; the proxy asked on a connection that it could not know to be closed.
"""
from field import *

need("node")
SERVER = """
const s = require('net').createServer((c) => { c.once('data', () => { c.write('HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok');
  setTimeout(() => { c.pause(); const end = Date.now() + 900; while (Date.now() < end); c.destroy(); }, 100); }); }).listen(8081)"""
ASK = b"GET / HTTP/1.1\r\nHost: b\r\n\r\n"


def client():
    c = connect(B, 8081)
    c.sendall(ASK)
    c.recv(4096)
    time.sleep(0.6)
    c.sendall(ASK)
    failed = error_of(read_all, c)
    c.close()
    return failed


def play(lab):
    lab.pair()
    node(lab, "b", SERVER, 8081)
    lab.watch("a")
    lab.watch("b")
    lab.must(lab.actor("a", "fld-cli", client).result() == errno.ECONNRESET, "no reset")


expect = {
    "a": view(life(f"{B}:8081", "reset-by-peer", process="fld-cli", closed_by="peer", errno=errno.ECONNRESET, may={"reset-origin": "certain"})),
    "b": view(life(local=":8081", outcome=("reset-by-local", "aborted"), process="node", closed_by="local", findings={"reset-origin": "certain"}, says=["unread"])),
}
