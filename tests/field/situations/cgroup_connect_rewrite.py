# SPDX-License-Identifier: Apache-2.0
"""A BPF program of a cgroup gives connect() another destination: a service address that no packet ever carries.

Reported: Cilium's socket load balancing (kube-proxy replacement), where tcpdump and ss show only backends.
Right: the connection is one to the backend, as the kernel and the packets have it; nothing is translated on the way.
"""
from field import *
import bpf_calls

SERVICE, PORT = "10.96.0.1", 7694


def server():
    c = accepted(listen(PORT))
    c.sendall(read_all(c, 5))
    c.close()


def client(cgroup):
    cgroup.join()
    c = connect(SERVICE, 80)
    c.sendall(b"hello")
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    cgroup = bpf_calls.Cgroup(lab, "services")
    address, port = struct.unpack("=i", socket.inet_aton(B))[0], socket.htons(PORT)
    to_backend = [(0xb7, 2, 0, address), (0x63, 0x21, 4, 0),  # bpf_sock_addr.user_ip4
                  (0xb7, 2, 0, port), (0x63, 0x21, 24, 0),  # user_port
                  (0xb7, 0, 0, 1), (0x95, 0, 0, 0)]
    cgroup.attach(bpf_calls.CGROUP_SOCK_ADDR, to_backend, bpf_calls.CGROUP_INET4_CONNECT)
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, PORT)
    lab.actor("a", "fld-cli", client, cgroup).result()
    served.result()


expect = {
    "a": view(life(f"{B}:{PORT}", "completed", process="fld-cli", closed_by="peer", tx=5, rx=5)),
    "b": view(life(local=f":{PORT}", outcome="completed", process="fld-srv", closed_by="local", tx=5, rx=5)),
}
