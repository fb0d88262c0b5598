# SPDX-License-Identifier: Apache-2.0
"""A conversation of two questions: before the second one, what leads to the peer goes for a second, and comes back."""
from field import *


def server(port, family):
    c = accepted(listen(port, family=family))
    while data := c.recv(100):
        c.sendall(data)
    c.close()


def client(host, port, down, isdown):
    c = connect(host, port)
    c.sendall(b"hello")
    read_all(c, 5)
    time.sleep(0.1)
    down.set()
    isdown.wait()
    c.sendall(b"again")
    read_all(c, 5)
    c.close()


def flap(lab, port, place, takes_away, brings_back, host=B):
    """takes_away, brings_back: what `ip` does in the namespace `place`."""
    down, isdown = Signal(), Signal()
    lab.server("b", "fld-srv", server, port, port, socket.AF_INET6 if ":" in host else socket.AF_INET)
    talking = lab.actor("a", "fld-cli", client, host, port, down, isdown)
    down.wait()
    lab.ip(place, takes_away)
    isdown.set()
    time.sleep(1)
    lab.ip(place, brings_back)
    talking.result()


def play_flap(lab, *what, **where):
    lab.pair()
    lab.watch("a")
    flap(lab, *what, **where)


def routed_flap(lab, port, route):
    """A router on the path has such a route to the server for a second."""
    lab.routed()
    lab.watch("a")
    lab.watch("r", "--forwarded")
    flap(lab, port, "r", f"route add {route} {B}", f"route del {route} {B}")


def whole(remote, **more):
    """All bytes arrive, and nobody is taken for dead."""
    return {"a": view(life(remote, "completed", process="fld-cli", closed_by="local", tx=10, rx=10, **more))}


def own_side(remote):
    """What TCP sent meanwhile never left; the peer and the path are not to blame."""
    return whole(remote, findings={"tx-not-sent": "certain"}, may={"retransmission": "certain"}, never=["ICMP", "half-open", "path-dead"])


def across_router(remote, never):
    """It waits for the route, and goes on; at the router segments are dropped for want of one."""
    return whole(remote, findings={"retransmission": "certain"}, never=never) | {
        "r": view(life(remote, "completed", forwarded__joined=True, findings={"forward-dropped": "certain"}, may={"retransmission": "likely"}))}
