# SPDX-License-Identifier: Apache-2.0
"""connect() without waiting: the own firewall refuses the SYN by an ICMP message; the process reads SO_ERROR at once, and closes 1.2 s later.

Reported: event loops (libuv, Tokio): "connection refused" at once, in the log of a tool after a second.
Right: it failed when the error was set, and the socket was closed later; the SYN never left. Over IPv6 the error waits until the process asks.
"""
from field import *

need("nft")


def client(address):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.setblocking(False)
    s.connect_ex((address, 7255))
    time.sleep(0.05)
    error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    time.sleep(0.75)
    s.close()
    return error


def play(lab):
    lab.pair()
    lab.nft("a", "table inet f { chain o { type filter hook output priority 0; tcp dport 7255 reject with icmpx port-unreachable; }\n}")
    lab.watch("a")
    for address in (B, B6):
        lab.must(lab.actor("a", "fld-cli", client, address).result() == errno.ECONNREFUSED, "not refused")


def refused(address):
    return life(f"{address}:7255", ("connect-unsent", "refused"), process="fld-cli", errno=errno.ECONNREFUSED, findings={"tx-not-sent": "certain"},
                duration_ns=(700_000_000, 5_000_000_000), says=[r"ECONNREFUSED after [0-9.]+ (us|ms), and the socket was closed"], never=["cause was not", "RST"])


expect = {"a": view(refused(B), refused(f"[{B6}]"))}
