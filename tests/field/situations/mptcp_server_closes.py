# SPDX-License-Identifier: Apache-2.0
"""MPTCP: the server closes first, and its subflow waits for the client's FIN, then in TIME_WAIT; once it waits for 1.5 s.

Reported: what ss shows as TIME-WAIT stayed "open": the mini-sockets of MPTCP have no type of their own in BPF.
Right: as with TCP: completed, closed by the server, TIME_WAIT at its side.
"""
from field import *

need("mptcp")


def server():
    listener = listen(7034, protocol=IPPROTO_MPTCP)
    for _ in range(2):
        c = accepted(listener)
        c.recv(9)
        c.close()
    listener.close()


def client():
    for wait in (0, 1.5):  # FIN_WAIT2 is asked for, and still there
        c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
        c.connect((B, 7034))
        c.sendall(b"hello")
        c.recv(9)
        time.sleep(wait)
        c.close()
    time.sleep(0.3)


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-msrv", server, 7034)
    lab.actor("a", "fld-mcli", client).result()


def waits(states):
    return states[-2:] == ["FIN_WAIT2", "TIME_WAIT"]


one = life(local=":7034", outcome="completed", process="fld-msrv", role="passive", closed_by="local", states=waits)
other = life(f"{B}:7034", "completed", process="fld-mcli", role="active", closed_by="peer")
expect = {"a": view(other, other), "b": view(one, one)}
