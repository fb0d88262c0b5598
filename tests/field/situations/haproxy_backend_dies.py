# SPDX-License-Identifier: Apache-2.0
"""HAProxy's backend is killed in the middle of an answer, with the next question unread.

Reported: haproxy's termination states SD and sD: clients get a cut answer.
Right: the backend's end is the backend's doing; towards the client HAProxy ended the connection.
"""
from field import *

need("haproxy", "curl")
CONFIG = """
defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend f
  bind :7620
  default_backend b
backend b
  server s 10.9.0.1:7621
"""


def server():
    c = accepted(listen(7621))
    c.recv(10)  # the rest stays unread
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 5000)
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGKILL)


def play(lab):
    lab.pair()
    lab.server("a", "fld-srv", server, 7621)
    proxy = haproxy(lab, "b", 7620, CONFIG)
    lab.watch("a")
    lab.watch("b")
    code, _ = curl(lab, "a", "-o", "/dev/null", f"http://{B}:7620/")
    lab.must(code == 18 or code == 56, f"curl ended with {code}")
    proxy.terminate()
    lab.output(proxy)


may = {"reset-origin": "certain", "time-wait": "certain", "write-after-peer-closed": "certain"}
expect = {
    "a": view(life(f"{B}:7620", ("completed", "reset-by-peer"), process="curl", closed_by="peer", may=may),
              life(local=":7621", outcome=("reset-by-local", "aborted"), process="fld-srv", closed_by="local", findings={"reset-origin": "certain"}, says=["SIGKILL|signal 9"])),
    "b": view(life(local=":7620", outcome=("completed", "reset-by-local"), process="haproxy", closed_by="local", may=may),
              life(f"{A}:7621", "reset-by-peer", process="haproxy", closed_by="peer", may=may)),
}
