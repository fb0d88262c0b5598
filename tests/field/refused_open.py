# SPDX-License-Identifier: Apache-2.0
"""A connection is open and has carried data; then somebody refuses what it sends, until the kernel gives up (TCP_USER_TIMEOUT)."""
from field import *

need("nft")


def server(port, family, done):
    c = accepted(listen(port, family=family))
    c.sendall(read_all(c, 5))
    done.wait()
    os._exit(0)


def client(address, port, ready, blocked):
    c = connect(address, port)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500)
    c.sendall(b"query")
    read_all(c, 5)
    ready.set()
    blocked.wait()
    c.sendall(b"query")
    c.settimeout(10)
    return error_of(c.recv, 5)


def play_refused(lab, address, port, place, rules, errors):
    """The rules begin to work at a place while the connection is idle; errors: what the client may get."""
    ready, blocked, done = Signal(), Signal(), Signal()
    lab.watch("a")
    lab.server("b", "fld-srv", server, port, port, socket.AF_INET6 if ":" in address else socket.AF_INET, done)
    asking = lab.actor("a", "fld-cli", client, address, port, ready, blocked)
    ready.wait()
    lab.nft(place, rules)
    blocked.set()
    error = asking.result()
    lab.must(error in errors, f"the client got {error}")
    lab.watches[0].stop()
    done.set()
