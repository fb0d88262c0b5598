# SPDX-License-Identifier: Apache-2.0
"""Situations that are known to be judged wrong: name -> what will mend it. They are shown, and do not fail the step. An empty table is the aim."""
WRONG_TODAY = {
    "defer_accept": "verdicts: slow-handshake with TCP_DEFER_ACCEPT",
    "fast_open": "verdicts: the initial number is the SYN's",
    "fin_wait2_timeout": "connect: fin-wait2-timeout, write-after-peer-closed",
    "mptcp_two_paths": "verdicts: slow-accept of subflows, ICMP for errno 0",
    "nat_output": "nat: one connection, both addresses",
    "no_port_left": "connect: port-exhaustion",
    "path_mtu_black_hole": "loss: path-mtu-black-hole",
    "path_mtu_icmp": "loss: Loss state without a timeout",
    "restarted_client": "verdicts: a RST that changed nothing",
    "same_addresses": "nat: drops of another namespace",
    "self_connect": "verdicts: simultaneous open",
    "zero_copy": "verdicts: ICMP for errno 0",
}
