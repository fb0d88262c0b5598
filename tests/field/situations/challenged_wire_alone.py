# SPDX-License-Identifier: Apache-2.0
"""A forged RST lies in the window and is not the number that TCP waits for; the connection goes on, and a second one is really reset. No kernel events.

Reported: forged resets in bulk against long connections (BGP), which RFC 5961 answers by a challenge ACK.
Right: that RST ended nothing, with the kernel's events and by packets and the socket's numbers alone. The RST of an abort still ends what it has the
number of.
"""
from forged import *

PORT = 7529


def server(port, go):
    listener = listen(port)
    c = accepted(listener)
    c.sendall(read_all(c, 5))
    go.wait()
    time.sleep(1.5)  # by then a reset would have been reported
    c.sendall(b"after")
    c.recv(1)
    c.close()
    second = accepted(listener)
    second.sendall(b"x" * 300_000)
    second.recv(1)
    abort(second)


def client(port, ready, go):
    c = connect(B, port, source=(A, 40001))
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    read_all(c, 5)
    c.close()
    second = connect(B, port, source=(A, 40002))
    read_all(second, 300_000)
    second.sendall(b"q")
    failed = error_of(second.recv, 1)
    second.close()
    return failed


def forged_rsts(source, target, seq, back):
    for offset in (1000, 300_000_000):
        forge.send(forge.segment(target, source, back + offset, 0, forge.RST), source[0])
        time.sleep(0.1)


def play(lab):
    asking = play_forged(lab, PORT, forged_rsts, server, client,
                         prepare=lambda: lab.watch("a", "--kernel", "off", name="wire"))
    lab.must(asking.result() == errno.ECONNRESET, "no reset")


expect = {
    "a": view(life(f"{B}:{PORT}", "completed", local=":40001", process="fld-cli", tx=5, rx=10, findings={"out-of-window": "certain"}),
              life(f"{B}:{PORT}", "reset-by-peer", local=":40002", process="fld-cli", may={"reset-origin": "certain"})),
    "wire": view(life(f"{B}:{PORT}", "completed", local=":40001", tx=5, rx=10, wire__complete=True, findings={"out-of-window": "likely"}),
                 life(f"{B}:{PORT}", "reset-by-peer", local=":40002", may={"reset-origin": "certain"})),
}
