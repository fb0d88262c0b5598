# SPDX-License-Identifier: Apache-2.0
"""A server grows beyond its cgroup's memory and is killed by the kernel, with one client's question unread and another's read.

Reported: OOMKilled pods: some clients see an end of file, some a reset.
Right: both ended at the server, by SIGKILL: a FIN where all was read, a RST where something was not.
"""
from field import *


def server(ready, go):
    s = listen(7609)
    one, two = accepted(s), accepted(s)
    for c in (one, two):
        c.sendall(read_all(c, 5))
    ready.set()
    go.wait()
    kept = []
    while True:
        kept.append(bytearray(os.urandom(4096)) * 256)


def client(ready, unread):
    c = connect(B, 7609)
    c.sendall(b"hello")
    read_all(c, 5)
    ready.wait()
    if unread:
        c.sendall(b"again")
    failed = error_of(read_all, c)
    c.close()
    return failed


def group():
    for root in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        for path in (f"{root}/fld-oom-{os.getpid()}", f"{root}/memory/fld-oom-{os.getpid()}"):
            try:
                os.mkdir(path)
            except OSError:
                continue
            for limit in ("memory.max", "memory.limit_in_bytes"):
                if os.path.exists(f"{path}/{limit}"):
                    with open(f"{path}/{limit}", "w") as file:
                        file.write("60000000")
                    return path
            os.rmdir(path)
    raise Skip("no cgroup that limits memory")


def play(lab):
    lab.pair()
    path = group()
    ready, go = Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7609, ready, go)
    with open(f"{path}/cgroup.procs", "w") as file:
        file.write(str(served.pid))
    clients = [lab.actor("a", f"fld-cli-{n}", client, ready, n) for n in (0, 1)]
    ready.wait()
    ready.set()
    time.sleep(0.3)
    go.set()
    results = [one.result() for one in clients]
    served.result()
    os.rmdir(path)
    lab.must(sorted(results) == [0, errno.ECONNRESET], f"the clients saw {results}")


expect = {
    "a": view(life(f"{B}:7609", "completed", process="fld-cli-0", closed_by="peer"), life(f"{B}:7609", "reset-by-peer", process="fld-cli-1", closed_by="peer", may={"reset-origin": "certain"})),
    "b": view(life(local=":7609", outcome=("completed", "reset-by-local", "aborted"), process="fld-srv", closed_by="local", says=["SIGKILL|signal 9"], count=2, may={"reset-origin": "certain"})),
}
