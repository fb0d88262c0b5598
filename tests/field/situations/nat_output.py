# SPDX-License-Identifier: Apache-2.0
"""A process talks to a service address that its own host translates (DNAT in the output hook, as kube-proxy and docker do).

Reported: coroot-node-agent 146, datadog-agent 9852, bcc 1935: the service's address is lost, or every connection is told twice.
Right: one connection, with the address that the process named and the one on the wire. Each segment on the interface is its own.
"""
from field import *

need("nft")


def server():
    c = accepted(listen(7019))
    data = c.recv(10)
    c.sendall(b"answers")
    c.recv(1)
    c.close()
    return data


def client():
    c = connect("10.96.0.1", 7019)
    c.sendall(b"query")
    data = c.recv(10)
    time.sleep(0.2)
    c.close()
    return data


def play(lab):
    lab.pair()
    lab.ip("a", f"route add default via {B}")
    lab.nft("a", f"table ip n {{ chain o {{ type nat hook output priority -100; ip daddr 10.96.0.1 tcp dport 7019 dnat to {B}; }}\n}}")
    lab.watch("a")
    lab.server("b", "fld-srv", server, 7019)
    lab.must(lab.actor("a", "fld-cli", client).result() == b"answers", "the answer did not come")


expect = {"a": view(
    life("10.96.0.1:7019", "completed", process="fld-cli", role="active", closed_by="local", tx=5, rx=7, witnesses=["kernel", "wire"],
         wire__complete=True, wire__tx_bytes=5, wire__rx_bytes=7, nat__remote__ip=B, nat__remote__port=7019),
    never=["no matching socket", "kernel only"])}
