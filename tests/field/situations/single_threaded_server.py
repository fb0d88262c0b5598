# SPDX-License-Identifier: Apache-2.0
"""A server with one thread serves one client at a time: one that opens a connection and stays silent (a browser's preconnect) keeps the others waiting.

Reported: every python -m http.server and WEBrick behind Chrome.
Right: the second client's connection waited in the accept queue, for as long as the first one was silent.
"""
from field import *

need("curl")
SERVER = """
import http.server
class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
http.server.HTTPServer(('', 8000), Handler).serve_forever()
"""


def silent(up):
    c = connect(B, 8000)
    up.set()
    time.sleep(2)
    c.close()


def play(lab):
    lab.pair()
    lab.file("file", "x" * 1000)
    lab.watch("a")
    lab.watch("b")
    lab.program("b", "python3", "-c", SERVER, port=8000)
    up = Signal()
    lab.actor("a", "fld-silent", silent, up)
    up.wait()
    time.sleep(0.2)
    code, _ = curl(lab, "a", "-o", "/dev/null", f"http://{B}:8000/file")
    lab.must(code == 0, "no answer")


expect = {
    "a": view(life(f"{B}:8000", "completed", process="fld-silent"), life(f"{B}:8000", "completed", process="curl", rx=lambda n: n > 1000)),
    "b": view(life(local=":8000", outcome="completed", process="python3", rx=0), life(local=":8000", outcome="completed", process="python3",
                   tx=lambda n: n > 1000, findings={"slow-accept": "certain"})),
}
