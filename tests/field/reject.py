# SPDX-License-Identifier: Apache-2.0
"""The client of connections that a router refuses."""
from field import *


def client():
    return error_of(connect, B, 7035)
