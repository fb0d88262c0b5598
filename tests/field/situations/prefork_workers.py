# SPDX-License-Identifier: Apache-2.0
"""A prefork server: the parent listens, its children wait in epoll and accept; one is killed while it works at a request.

Reported: gunicorn 517, 630 ("connection reset by peer" after WORKER TIMEOUT), Apache's prefork.
Right: each connection belongs to the child that serves it. The killed one's is closed by its kernel with a FIN: all that came had been read.
"""
from field import *
import select


def worker(listener, name, gate):
    LIBC = ctypes.CDLL(None)
    LIBC.prctl(15, name, 0, 0, 0)
    if gate is not None:
        gate.wait()
    poll = select.epoll()
    poll.register(listener.fileno(), select.EPOLLIN)
    while True:
        poll.poll()
        try:
            c, _ = listener.accept()
        except BlockingIOError:
            continue
        c.settimeout(20)
        if read_all(c, 5) == b"block":
            time.sleep(30)
        c.sendall(b"hello")
        read_all(c)
        c.close()


def parent(pids, first_gone):
    listener = listen(7201)
    listener.setblocking(False)
    for number, gate in ((b"fld-one", None), (b"fld-two", first_gone)):
        pid = os.fork()
        if pid == 0:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
            signal.alarm(60)
            worker(listener, number, gate)
        os.write(pids, struct.pack("i", pid))
    time.sleep(15)


def client(request):
    c = connect(B, 7201)
    c.sendall(request)
    answer = read_all(c, 5)
    c.close()
    return answer


def play(lab):
    lab.pair()
    pids, theirs = os.pipe()
    first_gone = Signal()
    lab.watch("a")
    lab.watch("b")
    server = lab.server("b", "fld-master", parent, 7201, theirs, first_gone)
    one, _ = struct.unpack("ii", os.read(pids, 4) + os.read(pids, 4))
    lab.must(lab.actor("a", "fld-cli", client, b"query").result() == b"hello", "no answer")
    blocked = lab.actor("a", "fld-cli", client, b"block")
    until(lambda: lab.sockets("b", "state established sport = :7201"), 5, "the second connection")
    time.sleep(0.2)
    os.kill(one, signal.SIGKILL)
    lab.must(blocked.result() == b"", "an answer came")
    first_gone.set()
    lab.must(lab.actor("a", "fld-cli", client, b"query").result() == b"hello", "no answer")
    time.sleep(0.2)
    server.kill()


expect = {
    "a": view(life(f"{B}:7201", "completed", process="fld-cli", tx=5, rx=5, closed_by="local"),
              life(f"{B}:7201", "completed", process="fld-cli", tx=5, rx=0, closed_by="peer"),
              life(f"{B}:7201", "completed", process="fld-cli", tx=5, rx=5, closed_by="local")),
    "b": view(life(local=":7201", outcome="completed", process="fld-one", rx=5, tx=5, closed_by="peer"),
              life(local=":7201", outcome="completed", process="fld-one", rx=5, tx=0, closed_by="local", says=["SIGKILL|killed|died"]),
              life(local=":7201", outcome="completed", process="fld-two", rx=5, tx=5, closed_by="peer")),
}
