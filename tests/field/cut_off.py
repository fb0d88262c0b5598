# SPDX-License-Identifier: Apache-2.0
"""A client with a TCP_USER_TIMEOUT asks twice; before the second question what leads to the server goes for good."""
from field import *


def server(port, done):
    c = accepted(listen(port))
    c.sendall(read_all(c, 5))
    done.wait()
    os._exit(0)


def client(host, port, ready, gone):
    c = connect(host, port)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.set()
    gone.wait()
    c.sendall(b"again")
    failed = error_of(read_all, c, 5)
    c.close()
    return failed


def play_cut_off(lab, port, cut, errors, host=B):
    """cut: takes it away; errors: what the client may get."""
    ready, gone, done = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, port, port, done)
    talking = lab.actor("a", "fld-cli", client, host, port, ready, gone)
    ready.wait()
    cut()
    gone.set()
    failed = talking.result()
    lab.must(failed in errors, f"it ended with {failed}")
    for watch in lab.watches:
        watch.stop()
    done.set()
