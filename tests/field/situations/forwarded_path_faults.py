# SPDX-License-Identifier: Apache-2.0
"""A router in the middle of a path that fails behind it: a black hole for full-size segments, a peer that vanishes under keep-alive, a lost SYN-ACK.

Reported: the provider's view of moby 12565 (MTU), cockroach 13823 (idle connections), 1 s connects; only the gateway can be traced.
Right: each from the wire alone, with the side on which it happens: behind the router, and never on it. Never more than likely.
"""
from field import *

need("nft", "ethtool")


def served(port, size):
    c = accepted(listen(port))
    c.settimeout(4)
    error_of(read_all, c, size)
    c.close()


def alive(port):
    c = accepted(listen(port))
    c.sendall(read_all(c, 5))
    time.sleep(20)


def upload(port):
    c = connect(B, port)
    c.sendall(b"hi")
    time.sleep(0.1)
    c.sendall(b"z" * 9000)
    c.settimeout(4)
    error_of(c.recv, 1)
    c.close()


def idle(port, ready):
    c = connect(B, port)
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2)):
        c.setsockopt(socket.IPPROTO_TCP, option, value)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    c.sendall(b"hello")
    read_all(c, 5)
    time.sleep(0.15)
    ready.set()
    failed = error_of(c.recv, 1)
    c.close()
    return failed


def play(lab):
    lab.netns("a", "r", "s", "b")
    lab.link("a", "10.8.0.1/24", "r", "10.8.0.254/24")
    lab.link("r", "10.7.0.1/24", "s", "10.7.0.2/24")
    lab.link("s", "10.9.0.254/24", "b", "10.9.0.2/24", mtu=1500)
    lab.ip("a", "route add default via 10.8.0.254")
    lab.ip("r", "route add default via 10.7.0.2")
    lab.ip("s", "route add 10.8.0.0/24 via 10.7.0.1")
    lab.ip("b", "route add default via 10.9.0.254")
    for router in "rs":
        lab.sysctl(router, "net.ipv4.ip_forward", 1)
    lab.ip("s", "link set to-b mtu 1200")
    for place, interfaces in (("a", ["to-r"]), ("r", ["to-a", "to-s"]), ("s", ["to-r", "to-b"]), ("b", ["to-s"])):
        lab.no_offload(place, *interfaces)
    lab.nft("s", """table ip f {
        chain o { type filter hook output priority 0; ip protocol icmp drop; }
        chain c { type filter hook forward priority 0; tcp sport 7233 tcp flags syn,ack / syn,ack,rst limit rate 1/hour burst 1 packets drop; }
    }""")
    ready = Signal()
    lab.watch("r", "--forwarded")
    lab.server("b", "fld-srv", served, 7231, 7231, 9002)
    gone = lab.server("b", "fld-gone", alive, 7232, 7232)
    lab.server("b", "fld-srv", served, 7233, 7233, 5)
    upload_ = lab.actor("a", "fld-cli", upload, 7231)
    idle_ = lab.actor("a", "fld-cli", idle, 7232, ready)
    ready.wait()
    lab.nft("s", "add rule ip f c tcp dport 7232 drop; add rule ip f c tcp sport 7232 drop")
    lab.actor("a", "fld-cli", lambda: connect(B, 7233).close())
    lab.must(idle_.result() == errno.ETIMEDOUT, "keep-alive did not end it")
    gone.end()
    upload_.result()


expect = {"r": view(
    life(f"{B}:7231", ("open", "completed", "reset-by-local", "reset-by-peer"), findings={"path-mtu-black-hole": "likely", "retransmission": "likely"},
         may={"reset-origin": "likely"}, says=["behind to-s"], forwarded__lost_to_server=0),
    life(f"{B}:7232", ("reset-by-local", "open"), findings={"keepalive": "likely"}, may={"reset-origin": "likely", "retransmission": "likely"}, says=["behind to-s"]),
    life(f"{B}:7233", "completed", findings={"slow-handshake": "likely", "retransmission": "likely"}, says=["the server's SYN-ACK came"]))}
