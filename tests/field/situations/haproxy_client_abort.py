# SPDX-License-Identifier: Apache-2.0
"""A client is killed in the middle of a long answer behind HAProxy: HAProxy ends its side to the server.

Reported: haproxy's termination states CD and CH; "502s when users press stop".
Right: at the client side the client ended; towards the server HAProxy did.
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
  bind :7524
  default_backend b
backend b
  server s 10.9.0.1:7525
"""


def server():
    c = accepted(listen(7525))
    c.recv(1000)
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    failed = drip(c, b"x" * 100, 80)
    c.close()
    return failed


def play(lab):
    lab.pair()
    served = lab.server("a", "fld-srv", server, 7525)
    haproxy(lab, "b", 7524, CONFIG)
    lab.watch("b")
    getting = lab.program("a", "curl", "-sS", "--noproxy", "*", "-o", "/dev/null", f"http://{B}:7524/")
    until(lambda: lab.sockets("b", "state established dport = :7525"), 10, "a connection to the server")
    time.sleep(0.5)
    getting.kill()
    getting.wait()
    lab.must(served.result() != 0, "the server did not notice")


may = {"reset-origin": "certain", "time-wait": "certain", "write-after-peer-closed": "certain", "data-after-close": "certain"}
expect = {"b": view(life(local=":7524", outcome=("completed", "reset-by-peer"), process="haproxy", closed_by="peer", may=may),
                    life(f"{A}:7525", ("completed", "reset-by-local"), process="haproxy", closed_by="local", may=may))}
