# SPDX-License-Identifier: Apache-2.0
"""A server shuts its side down (FIN_WAIT2) and then ends its socket by a RST, behind its FIN; the client, which has sent twice, meets it."""
from field import *


def server(port, end):
    c = accepted(listen(port))
    time.sleep(0.2)
    c.recv(5)
    end(c)


def client(port):
    c = connect(B, port)
    c.sendall(b"first")
    c.sendall(b"again")
    time.sleep(1)
    failed = error_of(c.sendall, b"third")
    c.close()
    return failed


def play_half_closed(lab, port, end):
    """end: takes the server's socket with five bytes unread."""
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, port, port, end)
    lab.must(lab.actor("a", "fld-cli", client, port).result() == errno.EPIPE, "not reset")


def reset_behind_fin(port, outcome, says):
    """outcome, says: of the server. The peer sent nothing after the close."""
    return {
        "a": view(life(f"{B}:{port}", "reset-by-peer", process="fld-cli", closed_by="peer", tx=10, rx=0, errno=errno.EPIPE,
                       may={"reset-origin": "certain"}, never=["wrote after", "instead of a FIN"])),
        "b": view(life(local=f":{port}", outcome=outcome, process="fld-srv", closed_by="local", tx=0, findings={"reset-origin": "certain"},
                       says=says, never=["peer sent data", "instead of a FIN"])),
    }
