# SPDX-License-Identifier: Apache-2.0
"""A sender closes with SO_LINGER 0 while most of its data waits for a slow reader: the kernel throws it away and resets.

Reported: "the last part of the file is missing" with SO_LINGER set to 0 against TIME_WAIT (many HTTP servers and JDBC pools).
Right: the sender's own close; the reader gets less than was written, and is reset by the peer. Nobody died.
"""
from field import *


def server(full):
    s = listen(7205)
    c = accepted(s)
    c.setblocking(False)
    written = 0
    try:
        while True:
            written += c.send(b"x" * 65536)
    except BlockingIOError:
        pass
    time.sleep(0.3)
    full.set()
    abort(c)
    return written


def client(full):
    c = socket.socket()
    c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    c.settimeout(20)
    c.connect((B, 7205))
    full.wait()
    time.sleep(0.3)
    got = 0
    try:
        while chunk := c.recv(65536):
            got += len(chunk)
        return got, 0
    except ConnectionResetError:
        return got, errno.ECONNRESET
    finally:
        c.close()


def play(lab):
    lab.pair()
    full = Signal()
    lab.watch("a")
    lab.watch("b")
    serving = lab.server("b", "fld-srv", server, 7205, full)
    got, failed = lab.actor("a", "fld-cli", client, full).result()
    lab.must(failed == errno.ECONNRESET and got < serving.result(), f"the data arrived: {got}")


expect = {
    "a": view(life(f"{B}:7205", "reset-by-peer", process="fld-cli", errno=errno.ECONNRESET, closed_by="peer",
                   may={"reset-origin": "certain", "zero-window": "certain", "slow-accept": "certain", "retransmission": "certain"})),
    "b": view(life(local=":7205", outcome="reset-by-local", process="fld-srv", closed_by="local", findings={"reset-origin": "certain"},
                   may={"zero-window": "certain", "retransmission": "certain"}, never=["died", "unread"])),
}
