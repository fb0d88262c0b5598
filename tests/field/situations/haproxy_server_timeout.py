# SPDX-License-Identifier: Apache-2.0
"""haproxy gives up a server that does not answer (timeout server): the client gets 504, the server's connection is closed in the middle of its work.

Reported: "504 Gateway Time-out" beside "broken pipe" at the application (haproxy's sH state).
Right: the proxy closed both. The server's late answer meets a connection that is closed: that is why it is reset.
"""
from field import *

need("haproxy", "curl")
CONFIG = """defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 1s
listen l
  bind :8000
  server s 10.9.0.2:7206
"""


def server():
    c = accepted(listen(7206))
    c.recv(4096)
    time.sleep(1.6)
    failed = error_of(c.sendall, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    time.sleep(0.2)
    failed = failed or error_of(c.sendall, b"hello")
    c.close()
    return failed


def play(lab):
    lab.pair()
    lab.watch("a")
    lab.watch("b")
    serving = lab.server("b", "fld-srv", server, 7206)
    proxy = haproxy(lab, "a", 8000, CONFIG)
    code, text = curl(lab, "a", f"http://{A}:8000/")
    lab.must(code == 0 and "504" in text, f"no 504: {code} {text}")
    lab.must(serving.result() in (errno.EPIPE, errno.ECONNRESET), "the server's answer was taken")
    proxy.terminate()
    lab.output(proxy)


expect = {
    "a": view(life(f"{A}:8000", "completed", process="curl", role="active"),
              life(local=":8000", outcome="completed", process="haproxy", role="passive"),
              life(f"{B}:7206", ("reset-by-local", "completed"), process="haproxy", role="active", closed_by="local", rx=0, may={"reset-origin": "certain"})),
    "b": view(life(local=":7206", outcome="reset-by-peer", process="fld-srv", role="passive", closed_by="peer",
                   may={"reset-origin": "certain", "write-after-peer-closed": "certain"})),
}
