# SPDX-License-Identifier: Apache-2.0
"""A Multipath TCP connection over two paths.

Reported: mptcp_net-next 5 (subflows without a process in ss), bcc 2304.
Right: two subflows, each a TCP connection. The second is opened by the kernel's path manager, not by a connect() of the process. The server's process
reads as fast as data comes: no slow-accept. Nothing is about ICMP.
"""
from field import *

need("mptcp")


def server():
    listener = listen(7011, protocol=IPPROTO_MPTCP)  # the second subflow needs it too
    c = accepted(listener)
    size = len(read_all(c))
    c.close()
    listener.close()
    return size


def client():
    c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    c.connect((B, 7011))
    for _ in range(10):
        c.sendall(b"m" * 10000)
        time.sleep(0.1)
    c.close()
    time.sleep(0.3)


def play(lab):
    lab.pair()
    lab.link("a", "10.9.1.1/24", "b", "10.9.1.2/24", number="2")
    for place in "ab":
        lab.shell(place, "ip mptcp limits set subflow 2 add_addr_accepted 2")
    lab.shell("b", "ip mptcp endpoint add 10.9.1.2 dev to-a2 signal")
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-msrv", server, 7011)
    lab.actor("a", "fld-mcli", client).result()
    lab.must(served.result() == 100000, "not all bytes came")


expect = {
    "a": view(life("10.9.0.2:7011", "completed", process="fld-mcli", role="active", wire__complete=True),
              life("10.9.1.2:7011", "completed", role="active", wire__complete=True), never=["ICMP"]),
    "b": view(life(local="10.9.0.2:7011", outcome="completed", process="fld-msrv", role="passive", wire__complete=True),
              life(local="10.9.1.2:7011", outcome="completed", role="passive", wire__complete=True), never=["ICMP"]),
}
