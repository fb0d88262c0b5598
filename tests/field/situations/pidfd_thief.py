# SPDX-License-Identifier: Apache-2.0
"""A debugger takes a process's socket (pidfd_getfd) and shuts it down, as gdb's "call shutdown(3, 2)" would.

Reported: operators who end a connection of a process that they must not kill.
Right: closed here, by the call of the debugger; the connection is the process's own.
"""
from field import *

SYS_pidfd_getfd = 438


def client():
    c = connect(B, 7326)
    c.sendall(b"hello")
    os.write(c.fileno(), b"!")
    read_all(c)
    c.close()


def server():
    c = accepted(listen(7326))
    read_all(c)
    c.close()


def thief(pid, number):
    taken = ctypes.CDLL(None, use_errno=True).syscall(SYS_pidfd_getfd, os.pidfd_open(pid), number, 0)
    if taken < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    s = socket.socket(fileno=taken)
    s.shutdown(socket.SHUT_WR)
    s.close()


def descriptor_of(pid):
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            if os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket:"):
                return int(number)
        except OSError:
            pass
    return None


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7326)
    talks = lab.actor("a", "fld-cli", client)
    until(lambda: lab.sockets("a", "state established dport = :7326"), 5, "the connection")
    time.sleep(0.3)
    lab.actor("a", "fld-thief", thief, talks.pid, descriptor_of(talks.pid)).result()
    talks.result()


expect = {"a": view(life(f"{B}:7326", "completed", process="fld-cli", role="active", closed_by="local", tx=6, rx=0, says=["fld-thief"]))}
