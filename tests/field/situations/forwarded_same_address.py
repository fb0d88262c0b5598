# SPDX-License-Identifier: Apache-2.0
"""Two hosts with the server's address behind a bridge: the client's neighbour entry changes, and the other host refuses what it does not know.

Reported: duplicate addresses, failover of a virtual address without its connections.
Right: the RST came in on the other host's interface, not on the server's.
"""
from field import *


def server():
    c = accepted(listen(7036))
    c.sendall(read_all(c, 5))
    time.sleep(1)
    c.close()


def client(changed):
    c = socket.socket()
    c.connect((B, 7036))
    c.sendall(b"hello")
    read_all(c, 5)
    changed.wait()
    c.sendall(b"more")
    try:
        return c.recv(9)
    except ConnectionResetError:
        return "reset"


def play(lab):
    lab.netns("h", "a", "b", "c")
    lab.link("a", "10.9.0.1/24", "h", [])
    lab.link("b", "10.9.0.2/24", "h", [])
    lab.link("c", "10.9.0.2/24", "h", [])
    lab.bridge("h", "to-a", "to-b", "to-c")

    def neighbour(place):
        address = lab.shell(place, "cat /sys/class/net/to-h/address").strip()
        lab.ip("a", f"neigh replace 10.9.0.2 lladdr {address} dev to-h")

    neighbour("b")
    lab.watch("h", "--forwarded")
    lab.server("b", "fld-srv", server, 7036)
    changed = Signal()
    actor = lab.actor("a", "fld-cli", client, changed)
    time.sleep(0.5)
    neighbour("c")
    changed.set()
    lab.must(actor.result() == "reset", "no reset")


quiet = ["a"]  # the server's last FIN is answered to the other host
expect = {"h": view(life(f"{B}:7036", "reset-by-peer", local=A, findings={"reset-origin": "likely"}, says=["came in on to-c"]))}
