# SPDX-License-Identifier: Apache-2.0
"""sshd gives up a client that no longer answers (ClientAliveInterval): a laptop that sleeps, a path that is cut.

Reported: "Timeout, client not responding from user"; sshd sends its messages, and closes after ClientAliveCountMax.
Right: sshd closed; what it sent is unacknowledged, so data was retransmitted in vain. The client did not close.
"""
from field import *

need("sshd", "ssh", "ssh-keygen", "nft")


def play(lab):
    lab.pair()
    for name in ("host", "user"):
        lab.must(lab.output(lab.program("a", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{lab.folder}/{name}"))[0] == 0, "no key")
    os.makedirs("/run/sshd", exist_ok=True)
    config = lab.file("sshd.conf", f"Port 7528\nHostKey {lab.folder}/host\nAuthorizedKeysFile {lab.folder}/user.pub\nStrictModes no\nPermitRootLogin yes\nUsePAM no\n"
                                   "ClientAliveInterval 1\nClientAliveCountMax 2\nPidFile none\n")
    os.chmod(f"{lab.folder}/user", 0o600)
    lab.program("b", "/usr/sbin/sshd", "-D", "-f", config, port=7528)
    lab.watch("b")
    lab.program("a", "ssh", "-p", 7528, "-i", f"{lab.folder}/user", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-N", f"root@{B}")
    until(lambda: lab.sockets("b", "state established sport = :7528"), 10, "a session")
    time.sleep(1.5)
    lab.nft("a", "table ip f { chain i { type filter hook input priority 0; drop; }\nchain o { type filter hook output priority 0; drop; }\n}")
    until(lambda: not lab.sockets("b", "state established sport = :7528"), 15, "sshd to close")
    time.sleep(0.5)
    for watch in lab.watches:
        watch.stop()


expect = {"b": view(life(local=":7528", process="sshd", closed_by="local", findings={"retransmission": "certain"},
                         may={"half-open": "likely", "path-dead": "likely", "one-way": "likely"}, never=["peer closed", "killed"]))}
