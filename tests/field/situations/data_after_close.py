# SPDX-License-Identifier: Apache-2.0
"""The peer goes on sending to a process that has closed: soon (its socket is whole still), and later (a mini-socket).

Reported: curl --max-time; browsers that leave a page; nginx that ends a TLS connection, whose close_notify comes afterwards.
Right: FIN_WAIT2 goes on for 60 s, and the socket is there: it refuses the data with a RST. Nobody removed it.
"""
from field import *


def server(after):
    listener = listen(7491)
    for pause in after:
        c = accepted(listener)
        read_all(c)
        time.sleep(pause)
        c.sendall(b"too late")
        time.sleep(0.1)
        c.close()


def client(count):
    for _ in range(count):
        c = connect(B, 7491)
        c.sendall(b"bye")
        c.close()


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    after = [0, 0.5]
    serves = lab.server("b", "fld-srv", server, 7491, after)
    lab.actor("a", "fld-cli", client, len(after)).result()
    serves.result()


expect = {
    "a": view(life(f"{B}:7491", "reset-by-local", process="fld-cli", closed_by="local", tx=3, findings={"reset-origin": "certain"},
                   count=2, says=["sent data .* after the close"], never=["before its time", "ss -K"])),
    "b": view(life(local=":7491", outcome="reset-by-peer", process="fld-srv", closed_by="peer", count=2,
                   findings={"reset-origin": "likely", "write-after-peer-closed": "certain"})),
}
