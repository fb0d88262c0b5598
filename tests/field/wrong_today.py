# SPDX-License-Identifier: Apache-2.0
"""Situations that are known to be judged wrong: name -> what is wrong. They are shown, and do not fail the step. An empty table is the aim."""
WRONG_TODAY = {
    "fast_open": "the cause of the child's SYN_RECV is the SYN",
    "mptcp_redirect": "REDIRECT of MPTCP: the request socket cannot be read, so the SYN finds no connection",
    "simultaneous_open": "under load only one of the two ends needs its SYN-ACK again",
    "transparent_proxy": "TPROXY: wire.complete is false, as the look-up at ingress needs the packet's mark",
}
