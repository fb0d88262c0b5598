# SPDX-License-Identifier: Apache-2.0
"""A server's cgroup is frozen (docker pause) in the middle of an upload: its window closes; after two seconds it goes on.

Right: a closed window, of a process that does not read; the sender's probes are no keep-alives. Completed.
"""
from field import *
from bpf_calls import Cgroup

SIZE = 8_000_000


def server(group, up):
    group.join()
    s = listen(7838)
    c = accepted(s)
    c.recv(1000)
    up.set()
    size = len(read_all(c))
    c.close()
    return size


def client():
    c = connect(B, 7838)
    c.sendall(b"y" * SIZE)
    c.shutdown(socket.SHUT_WR)
    read_all(c)
    c.close()


def play(lab):
    lab.pair()
    group, up = Cgroup(lab, "frozen"), Signal()
    lab.watch("a")
    lab.watch("b")
    lab.server("b", "fld-srv", server, 7838, group, up)

    def freeze(value):
        with open(f"{group.path}/cgroup.freeze", "w") as file:
            file.write(value)

    sending = lab.actor("a", "fld-cli", client)
    up.wait()
    freeze("1")
    time.sleep(2)
    freeze("0")
    sending.result()
    for actor in lab.actors:
        actor.result()
    time.sleep(0.1)


expect = {
    "a": view(life(f"{B}:7838", "completed", process="fld-cli", tx=SIZE, findings={"zero-window": "certain"}, may={"retransmission": "certain"})),
    "b": view(life(local=":7838", outcome="completed", process="fld-srv", rx=SIZE, findings={"zero-window": "certain"},
                   may={"retransmission": "certain"})),
}
