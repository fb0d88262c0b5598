# SPDX-License-Identifier: Apache-2.0
"""ssh -L to a port where nobody listens: sshd is refused, ssh accepts and closes; the session goes on.

Reported: vscode-remote-release 773, tunnel-ssh 75: "channel 3: open failed: connect failed: Connection refused".
Right: the program at the near end had a connection that completed without an answer; the refusal is between sshd and the far port.
"""
from field import *

need("sshd", "ssh", "ssh-keygen")


def client():
    c = connect(A, 7611)
    data = read_all(c)
    c.close()
    return data


def play(lab):
    lab.pair()
    for name in ("host", "user"):
        lab.must(lab.output(lab.program("a", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{lab.folder}/{name}"))[0] == 0, "no key")
    os.makedirs("/run/sshd", exist_ok=True)
    config = lab.file("sshd.conf", f"Port 7610\nHostKey {lab.folder}/host\nAuthorizedKeysFile {lab.folder}/user.pub\nStrictModes no\nPermitRootLogin yes\nUsePAM no\nPidFile none\n")
    os.chmod(f"{lab.folder}/user", 0o600)
    lab.program("b", "/usr/sbin/sshd", "-D", "-f", config, port=7610)
    lab.watch("a")
    lab.watch("b")
    lab.program("a", "ssh", "-p", 7610, "-i", f"{lab.folder}/user", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-L", f"{A}:7611:127.0.0.1:7612",
                "-N", f"root@{B}", port=7611)
    lab.must(lab.actor("a", "fld-cli", client).result() == b"", "something came")
    time.sleep(0.2)
    for watch in lab.watches:
        watch.stop()


expect = {
    "a": view(life(f"{B}:7610", "open", process="ssh", role="active"),
              life(f"{A}:7611", "completed", process="fld-cli", closed_by="peer", rx=0),
              life(local=":7611", outcome="completed", process="ssh", role="passive", closed_by="local", tx=0)),
    "b": view(life(local=":7610", outcome="open", process="sshd", role="passive"),
              life("127.0.0.1:7612", "refused", process="sshd", errno=errno.ECONNREFUSED, may={"reset-origin": "certain"}), may={"stray-segment": "certain"}),
}
