# SPDX-License-Identifier: Apache-2.0
"""A VPN in user space between two hosts (tun): packets without an Ethernet header, carried over UDP; what TCP joined for the device (TSO) is
delivered joined, and of how many segments nobody says. One such packet is lost on the way.

Reported: OpenVPN, Tailscale and wireguard-go hosts (tun with offloads, as virtio-net has them too).
Right: both ends whole, with their processes; retransmissions at the sender, none of this machine's doing; segments are counted as segments.
"""
import fcntl
import select

from field import *

TUNSETIFF, TUNSETOFFLOAD, IFF_TUN, IFF_NO_PI, IFF_VNET_HDR, TUN_F_CSUM, TUN_F_TSO4 = 0x400454CA, 0x400454D0, 1, 0x1000, 0x4000, 1, 2
LARGE, LOST = 1300, 3  # of the large packets the third is lost
SIZE, MSS = 200_000, 1400 - 52


def as_segments(count):
    """as many as full-size segments have room for, or more"""
    return count >= SIZE // MSS


def vpn(own, ends, lossy, ready, stop):
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"tun0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR))
    fcntl.ioctl(tun, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4)
    os.system(f"ip addr add {own}/24 dev tun0; ip link set tun0 mtu 1400 up")
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((ends[0], 1194))
    udp.connect((ends[1], 1194))
    ready.set()
    large = 0
    while True:
        for readable in select.select([tun, udp, stop.fd], [], [])[0]:
            if readable == stop.fd:
                return
            if readable == tun:
                packet = os.read(tun, 65536)
                large += len(packet) > LARGE
                if not (lossy and len(packet) > LARGE and large == LOST):
                    udp.send(packet)
            else:
                try:
                    os.write(tun, udp.recv(65536))
                except ConnectionRefusedError:
                    pass


def server():
    c = accepted(listen(7697))
    size = len(read_all(c))
    c.close()
    return size


def client():
    c = connect("10.20.0.2", 7697)
    c.sendall(b"x" * SIZE)
    c.close()


def play(lab):
    if not os.path.exists("/dev/net/tun"):
        raise Skip("no /dev/net/tun")
    lab.pair()
    here, there, stop = Signal(), Signal(), Signal()
    lab.actor("a", "fld-vpn", vpn, "10.20.0.1", (A, B), True, here, stop)
    lab.actor("b", "fld-vpn", vpn, "10.20.0.2", (B, A), False, there, stop)
    here.wait()
    there.wait()
    lab.watch("a")
    lab.watch("b")
    served = lab.server("b", "fld-srv", server, 7697)
    lab.actor("a", "fld-cli", client).result()
    lab.must(served.result() == SIZE, "it did not all arrive")
    time.sleep(0.3)
    stop.set()


expect = {
    "a": view(life("10.20.0.2:7697", "completed", process="fld-cli", closed_by="local", tx=SIZE, rx=0, wire__tx_segments=as_segments, findings={"retransmission": "certain"})),
    "b": view(life(local=":7697", outcome="completed", process="fld-srv", closed_by="peer", tx=0, rx=SIZE, wire__rx_segments=as_segments, may={"retransmission": "likely"})),
}
