# SPDX-License-Identifier: Apache-2.0
"""Two processes listen on one port (SO_REUSEPORT), each for the segments of one CPU (SO_INCOMING_CPU).

Reported: nginx's and envoy's listeners by CPU; tools name any of the two.
Right: each connection names the process that served it.
"""
from field import *

SO_REUSEPORT, SO_INCOMING_CPU = 15, 49


def server(cpu, up, over):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, SO_REUSEPORT, 1)
    s.setsockopt(socket.SOL_SOCKET, SO_INCOMING_CPU, cpu)
    s.bind(("", 7307))
    s.listen(16)
    s.settimeout(0.2)
    up.set()
    while True:
        try:
            c, _ = s.accept()
        except socket.timeout:
            if os.path.exists(over):
                return
            continue
        c.setblocking(True)
        c.sendall(f"{cpu}".encode() * 7)
        c.recv(1)
        c.close()


def client(cpu):
    os.sched_setaffinity(0, {cpu})
    answers = []
    for _ in range(5):
        c = connect(B, 7307)
        answers.append(read_all(c, 7)[:1].decode())
        c.close()
    return answers


def play(lab):
    lab.pair()
    lab.watch("b")
    over = f"{lab.folder}/over"
    for cpu in (0, 1):
        up = Signal()
        lab.actor("b", f"fld-cpu{cpu}", server, cpu, up, over)
        up.wait()
    answers = sum((lab.actor("a", "fld-cli", client, cpu).result() for cpu in (0, 1)), [])
    lab.file("over", "")
    lab.must({"0", "1"} == set(answers), f"all went to one of them: {answers}")
    lab.must(answers.count("0") == 5, f"the CPUs were others: {answers}")


expect = {"b": view(*(life(local=":7307", outcome="completed", process=f"fld-cpu{cpu}", role="passive", closed_by="peer", tx=7, rx=0, count=5) for cpu in (0, 1)))}
