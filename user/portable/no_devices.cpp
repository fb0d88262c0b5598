// SPDX-License-Identifier: Apache-2.0
// no_devices.cpp: what libpcap.a asks of D-Bus, for the portable program.
//
// tcpwitness compiles filter expressions with libpcap and opens no device, but the table of capture devices is in the
// same object file. Debian's libpcap.a refers there to libdbus, which needs libsystemd, of which there is no archive.
// These two stand in its place: no such device is found, and none can be opened. Where another libpcap.a refers to
// more, linking fails and names it.
#include <pcap/pcap.h>

extern "C" {

pcap_t* dbus_create(const char* /*device*/, char* /*error*/, int* is_ours) {
  *is_ours = 0;
  return nullptr;
}

int dbus_findalldevs(void* /*list*/, char* /*error*/) { return 0; }
}
