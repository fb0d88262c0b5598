# SPDX-License-Identifier: Apache-2.0
"""nginx reloads its configuration (SIGHUP): the old worker closes kept connections that are idle, and one client asks just then.

Reported: nginx 303: resets during reloads.
Right: nginx closed first, with nothing unread; what the client wrote after that was answered by a RST.
"""
from field import *

need("nginx")
ASK = b"GET / HTTP/1.1\r\nHost: b\r\n\r\n"


def client(ready, reloaded):
    c = connect(B, 8080)
    c.sendall(ASK)
    c.recv(4096)
    ready.set()
    reloaded.wait()
    c.sendall(ASK)
    time.sleep(0.3)
    failed = error_of(c.sendall, ASK)
    c.close()
    return failed


def play(lab):
    lab.pair()
    server = nginx(lab, "b", 8080, "server { listen 8080; location / { return 200 hello; } }")
    worker_of(server)
    ready, reloaded = Signal(), Signal()
    lab.watch("a")
    lab.watch("b")
    talking = lab.actor("a", "fld-cli", client, ready, reloaded)
    ready.wait()
    with open(f"{lab.folder}/nginx/nginx.pid") as pid:
        os.kill(int(pid.read()), signal.SIGHUP)
    until(lambda: lab.sockets("a", "state close-wait dport = :8080"), 10, "nginx to close")
    reloaded.set()
    lab.must(talking.result() == errno.EPIPE, "no broken pipe")


expect = {
    "a": view(life(f"{B}:8080", "reset-by-peer", process="fld-cli", closed_by="peer", errno=errno.EPIPE, findings={"write-after-peer-closed": "certain"}, may={"reset-origin": "certain"})),
    "b": view(life(local=":8080", outcome="reset-by-local", process="nginx", closed_by="local", may={"reset-origin": "certain", "data-after-close": "certain"}, says=["peer sent data"], never=["unread"])),
}
