# SPDX-License-Identifier: Apache-2.0
"""nginx closes without an answer (return 444).

Reported: the usual way to drop scanners; curl says "Empty reply from server".
Right: nginx resets the connection (reset_timedout_connection and 444 use SO_LINGER 0 only where told to; here it closes). curl's end completes.
"""
from field import *

need("nginx", "curl")


def play(lab):
    lab.pair()
    nginx(lab, "b", 8080, "server { listen 8080; location / { return 444; } }")
    lab.watch("a")
    lab.watch("b")
    lab.must(curl(lab, "a", f"http://{B}:8080/")[0] == 52, "there was an answer")


expect = {
    "a": view(life(f"{B}:8080", "completed", process="curl", closed_by="peer", rx=0)),
    "b": view(life(local=":8080", outcome="completed", process="nginx", closed_by="local", tx=0)),
}
