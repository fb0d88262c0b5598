# SPDX-License-Identifier: Apache-2.0
"""curl gives up a slow download after its --max-time, with data unread in its socket.

Reported: curl (28) "Operation timed out after 1000 milliseconds"; at the server "write: broken pipe", "connection reset by peer".
Right: curl closed; whether a FIN or a RST ends it depends on what it had not read. At the server the peer did it.
"""
from field import *

need("curl")


def play(lab):
    lab.pair()
    served = lab.server("b", "fld-srv", slow_download, 7522, 7522)
    lab.watch("a")
    lab.watch("b")
    code, _ = curl(lab, "a", "--max-time", "1", "-o", "/dev/null", f"http://{B}:7522/")
    lab.must(code == 28, f"curl ended with {code}")
    lab.must(served.result() in (errno.EPIPE, errno.ECONNRESET), "the server did not notice")


expect = {
    "a": view(life(f"{B}:7522", "reset-by-local", process="curl", closed_by="local", may={"reset-origin": "certain"})),
    "b": view(life(local=":7522", outcome="reset-by-peer", process="fld-srv", closed_by="peer", errno=(errno.EPIPE, errno.ECONNRESET),
                   may={"reset-origin": "certain", "write-after-peer-closed": "certain"})),
}
