# SPDX-License-Identifier: Apache-2.0
"""A client binds its socket to the wrong device (SO_BINDTODEVICE lo) and connects to another host.

Reported: VRF and VPN "kill switch" setups that bind to a device that does not lead there.
Right: its SYNs went nowhere but to the loopback device; nobody answers, and nobody refused.
"""
from field import *


def client():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
    return error_of(s.connect, (B, 7627))


def play(lab):
    lab.pair()
    lab.watch("a")
    failed = lab.actor("a", "fld-cli", client).result()
    lab.must(failed == errno.ETIMEDOUT, f"it ended with {failed}")


expect = {"a": view(life(f"{B}:7627", ("connect-timeout", "connect-unsent"), process="fld-cli", may={"retransmission": "certain", "tx-not-sent": "certain", "rx-dropped": "certain"}), may={"rx-dropped": "certain"})}
