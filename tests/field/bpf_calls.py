# SPDX-License-Identifier: Apache-2.0
"""bpf(2) as far as situations need it: small programs of a cgroup or of a socket map, written as instructions."""
import ctypes
import os
import struct

from lab import LIBC
from needs import Skip

SYS_BPF = 321  # x86-64
MAP_CREATE, MAP_UPDATE, PROG_LOAD, PROG_ATTACH, LINK_CREATE = 0, 2, 5, 8, 28
CGROUP_SKB, SK_MSG, CGROUP_SOCK_ADDR, SK_LOOKUP = 8, 16, 18, 30  # program types
CGROUP_INGRESS, CGROUP_EGRESS, SK_MSG_VERDICT, CGROUP_INET4_CONNECT, AT_SK_LOOKUP = 0, 1, 7, 10, 36  # where they are attached
SOCKMAP = 15


def bpf(command, attributes):
    memory = ctypes.create_string_buffer(attributes.ljust(128, b"\0"))
    result = LIBC.syscall(SYS_BPF, command, memory, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), "bpf")
    return result


def load(kind, instructions, attached):
    code = ctypes.create_string_buffer(b"".join(struct.pack("=BBhi", *one) for one in instructions))
    name = ctypes.create_string_buffer(b"GPL")
    log = ctypes.create_string_buffer(4096)
    attributes = struct.pack("=IIQQIIQII16sII", kind, len(instructions), ctypes.addressof(code), ctypes.addressof(name), 1, 4096,
                             ctypes.addressof(log), 0, 0, b"", 0, attached)
    try:
        return bpf(PROG_LOAD, attributes)
    except OSError as error:
        raise Skip(f"no such BPF program here: {error} {log.value.decode()[-200:]}") from None


def attach(target, program, place):
    bpf(PROG_ATTACH, struct.pack("=IIII", target, program, place, 0))


def link(target, program, place):
    """It stays attached for as long as the descriptor is open."""
    return bpf(LINK_CREATE, struct.pack("=IIII", program, target, place, 0))


def socket_map(entries):
    return bpf(MAP_CREATE, struct.pack("=IIII", SOCKMAP, 4, 4, entries))


def put_socket(where, key, descriptor):
    index, value = ctypes.c_uint32(key), ctypes.c_uint32(descriptor)
    bpf(MAP_UPDATE, struct.pack("=IIQQQ", where, 0, ctypes.addressof(index), ctypes.addressof(value), 0))


class Cgroup:
    """A cgroup (v2) of this situation; whoever calls join() is in it."""

    def __init__(self, lab, name):
        roots = [line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2"]
        if not roots:
            raise Skip("no cgroup2 is mounted")
        self.path = f"{roots[0]}/{lab.prefix}-{name}"
        os.mkdir(self.path)
        lab.cgroups.append(self)

    def refuse(self, place):
        """No packet of it passes: as systemd's IPAddressDeny=any."""
        self.attach(CGROUP_SKB, [(0xb7, 0, 0, 0), (0x95, 0, 0, 0)], place)

    def attach(self, kind, instructions, place):
        program = load(kind, instructions, place)
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        attach(descriptor, program, place)
        os.close(descriptor)
        os.close(program)

    def join(self):
        with open(f"{self.path}/cgroup.procs", "w") as file:
            file.write(str(os.getpid()))

    def remove(self):
        os.rmdir(self.path)
