# SPDX-License-Identifier: Apache-2.0
"""What a situation needs of this machine, found out by trying it."""
import shutil
import socket


class Skip(Exception):
    """It cannot be played here; why."""


def mptcp():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262).close()
    except OSError as error:
        return f"no MPTCP socket to be had: {error}"
    return ""


def fast_open():
    try:
        with open("/proc/sys/net/ipv4/tcp_fastopen"):
            return ""
    except OSError as error:
        return f"no Fast Open: {error}"


def need(*names):
    """Programs, or one of the probes above."""
    for name in names:
        probe = {"mptcp": mptcp, "fast open": fast_open}.get(name)
        reason = probe() if probe else "" if shutil.which(name) else f"there is no {name}"
        if reason:
            raise Skip(reason)
