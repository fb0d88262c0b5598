# SPDX-License-Identifier: Apache-2.0
"""Both ends are on this host. A RST that neither sent ends the client; a moment later the server's process breaks off by itself.

Reported: tcpkill on a host with a local proxy; an IDS in prevention mode.
Right: the server's RST left when the client was over: it is not what ended it, and the client's is not said to be the server's for certain.
"""
import forge
from field import *


def server(forged):
    c = accepted(listen(7155))
    c.sendall(read_all(c, 5))
    forged.wait()
    abort(c)


def client(ready):
    c = connect("127.0.0.1", 7155)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    failed = error_of(c.recv, 10)
    c.close()
    return failed


def outsider(listens, ready, forged):
    sniffer = forge.Sniffer("lo")
    listens.set()
    ready.wait()
    time.sleep(0.1)
    source, target, seq, ack = sniffer.last(7155)
    forge.send(forge.segment(target, source, ack, seq, forge.RST | forge.ACK), "127.0.0.1")
    forged.set()


def play(lab):
    lab.netns("a")
    listens, ready, forged = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.server("a", "fld-srv", server, 7155, forged)
    lab.actor("a", "fld-ids", outsider, listens, ready, forged)
    listens.wait()
    lab.must(lab.actor("a", "fld-cli", client, ready).result() == errno.ECONNRESET, "the client was not reset")


expect = {
    "a": view(life("127.0.0.1:7155", "reset-by-peer", process="fld-cli", findings={"reset-origin": "likely"}),
              life(local=":7155", outcome="reset-by-local", process="fld-srv", findings={"reset-origin": "certain"})),
}
