# SPDX-License-Identifier: Apache-2.0
"""curl --limit-rate: it reads more slowly than the server sends, on purpose.

Right: a window that its process closes again and again; nothing is lost, nobody is stuck, and it completes.
"""
from field import *

need("nginx", "curl")


def play(lab):
    lab.pair()
    lab.file("big", "x" * 12_000_000)
    nginx(lab, "b", 8080, f"server {{ listen 8080; location / {{ root {lab.folder}; }} }}")
    lab.watch("a")
    lab.watch("b")
    lab.must(curl(lab, "a", "--limit-rate", "3M", "-o", "/dev/null", f"http://{B}:8080/big")[0] == 0, "curl failed")


never = ["does not read", "stuck", "not read anything"]
expect = {
    "a": view(life(f"{B}:8080", "completed", process="curl", rx=lambda n: n > 12_000_000, may={"zero-window": "certain"}, never=never)),
    "b": view(life(local=":8080", outcome="completed", process="nginx", tx=lambda n: n > 12_000_000, may={"zero-window": "certain"}, never=never)),
}
