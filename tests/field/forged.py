# SPDX-License-Identifier: Apache-2.0
"""An outsider on the path sends segments of its own into a connection, once the first bytes of it were answered."""
from field import *
import forge


def server(port, go):
    """Answers, and sends something once the outsider has sent."""
    c = accepted(listen(port))
    c.sendall(read_all(c, 5))
    go.wait()
    c.sendall(b"after")
    c.recv(1)
    c.close()


def client(port, ready, go):
    """Takes the answer and what follows it, and closes."""
    c = connect(B, port)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    read_all(c, 5)
    time.sleep(0.1)
    c.close()


def reset_client(port, ready, go):
    """Takes the answer, and is reset: the error."""
    c = connect(B, port)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    failed = error_of(read_all, c)
    c.close()
    return failed


def outsider(port, forged, up, ready, go):
    sniffer = forge.Sniffer("to-a")
    up.set()
    ready.wait()
    time.sleep(0.1)
    source, target, seq, _ = sniffer.last(port)
    forged(source, target, seq, sniffer.seen[target, source][0])
    go.set()


def play_forged(lab, port, forged, server=server, client=client, watched="a", prepare=None):
    """forged(client, server, what the client sends next, what the server sends next) sends the segments; go is set behind it. Returns the
    client's actor."""
    lab.pair()
    if prepare:
        prepare()
    up, ready, go = Signal(), Signal(), Signal()
    lab.actor("b", "fld-evil", outsider, port, forged, up, ready, go)
    up.wait()
    lab.watch(watched)
    lab.server("b", "fld-srv", server, port, port, go)
    return lab.actor("a", "fld-cli", client, port, ready, go)
