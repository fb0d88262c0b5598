# SPDX-License-Identifier: Apache-2.0
"""A TLS 1.3 client sends its message and closes without ever reading: the server's session tickets lie unread, so its kernel sends a RST.

Reported: openssl 6904, 7948, 10880, trio 819, "ECONNRESET after upgrade to TLS 1.3": the server loses the message that it had not read yet.
Right: the client's process closed with unread data; the server had done nothing wrong.
"""
from field import *
import ssl

need("openssl")


def server(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    c = accepted(listen(7820))
    t = context.wrap_socket(c, server_side=True)
    time.sleep(0.6)
    return error_of(t.recv, 100)


def client():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    c = context.wrap_socket(connect(B, 7820))
    time.sleep(0.2)
    c.sendall(b"important")
    c.close()


def play(lab):
    lab.pair()
    lab.shell("a", "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=b "
                   f"-keyout {lab.folder}/key.pem -out {lab.folder}/cert.pem 2>/dev/null")
    lab.watch("a")
    lab.watch("b")
    serving = lab.server("b", "fld-srv", server, 7820, lab.folder)
    lab.actor("a", "fld-cli", client).result()
    serving.result()


expect = {
    "a": view(life(f"{B}:7820", "reset-by-local", process="fld-cli", closed_by="local", findings={"reset-origin": "certain"},
                   says=["unread|not read"])),
    "b": view(life(local=":7820", outcome="reset-by-peer", process="fld-srv", closed_by="peer", may={"reset-origin": "certain"})),
}
