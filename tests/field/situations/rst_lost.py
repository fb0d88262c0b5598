# SPDX-License-Identifier: Apache-2.0
"""A client breaks off (SO_LINGER 0) and its RST gets lost; the server learns of it when it writes, two seconds later.

Right: the client's process ended it; the second RST is its host's, which has no such connection any more.
"""
from field import *
import middlebox

state = {"lost": 0}


def lose(frame, to_b):
    if to_b and frame.flags & middlebox.RST and not state["lost"]:
        state["lost"] = 1
        return []
    return None


def server():
    c = accepted(listen(7855))
    c.sendall(read_all(c, 5))
    time.sleep(2)
    failed = error_of(c.sendall, b"news")
    failed = failed or error_of(c.recv, 1)
    c.close()
    return failed


def client():
    c = connect(B, 7855)
    c.sendall(b"hello")
    read_all(c, 5)
    time.sleep(0.2)
    abort(c)


def play(lab):
    box = middlebox.middlebox(lab, lose)
    lab.watch("a")
    lab.watch("b")
    serving = lab.server("b", "fld-srv", server, 7855)
    lab.actor("a", "fld-cli", client).result()
    lab.must(serving.result() == errno.ECONNRESET, "not reset")
    time.sleep(0.2)
    box.end()


expect = {
    "a": view(life(f"{B}:7855", "reset-by-local", process="fld-cli", closed_by="local", findings={"reset-origin": "certain"}),
                   may={"stray-segment": "certain"}),
    "b": view(life(local=":7855", outcome="reset-by-peer", process="fld-srv", closed_by="peer",
                   may={"reset-origin": "likely", "half-open": "likely"})),
}
