# SPDX-License-Identifier: Apache-2.0
"""connect() to an address with a prohibit route, and to one with a blackhole route.

Reported: scion 3846, iproute2's manual: EACCES, EINVAL.
Right: connect() fails at once, and no SYN was ever made.
"""
from field import *


def client(address):
    return error_of(connect, address, 7602)


def play(lab):
    lab.pair()
    lab.ip("a", "route add prohibit 10.9.7.1")
    lab.ip("a", "route add blackhole 10.9.7.2")
    lab.watch("a")
    lab.must(lab.actor("a", "fld-cli", client, "10.9.7.1").result() == errno.EACCES, "not prohibited")
    lab.must(lab.actor("a", "fld-cli", client, "10.9.7.2").result() == errno.EINVAL, "no black hole")


expect = {"a": view()}
