// SPDX-License-Identifier: Apache-2.0
// flow_filter.cpp: which connections an expression matches, and which expressions are not about connections.
#include "capture/flow_filter.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "capture/kernel_filter.hpp"
#include "golden/reports.hpp"

namespace tcpwitness {
namespace {

using golden::flow;

bool matches(const std::string& expression, const Flow& of) {
  const auto filter = FlowFilter::compile(expression);
  EXPECT_TRUE(filter) << expression << ": " << (filter ? "" : filter.error().message());
  const bool yes = filter && (*filter)->matches(of);
  EXPECT_EQ(filter && (*filter)->matches({of.remote, of.local}), yes) << expression << ": either direction";
  return yes;
}

std::string refusal(const std::string& expression) {
  const auto filter = FlowFilter::compile(expression);
  return filter ? "(accepted)" : filter.error().message();
}

const Flow web = flow("10.1.2.3", 40000, "192.0.2.80", 443);
const Flow web6 = flow("2001:db8::1", 40000, "2001:db8:80::2", 443);

TEST(FlowFilter, ConnectionsAreChosenByTheirAddressesAndPorts) {
  for (const char* yes :
       {"tcp", "port 443", "tcp port 443", "portrange 400-500", "host 192.0.2.80", "net 10/8",
        "net 192.0.2.0/24 and port 443", "not port 22", "src host 10.1.2.3", "dst port 443",
        "port 443 and not host 10.1.2.4", "ip", "(port 80 or port 443) and net 10/8",
        "ip and tcp and (host 10.1.2.3 or host 10.1.2.4)", "not ip6", "ip proto 6", "tcp or udp", "port 443 or icmp"}) {
    EXPECT_TRUE(matches(yes, web)) << yes;
  }
  for (const char* no : {"port 80", "host 192.0.2.81", "net 10.2/16", "ip6", "not port 443",
                         "port 443 and host 10.1.2.4", "portrange 444-500", "udp port 443 or tcp port 80"}) {
    EXPECT_FALSE(matches(no, web)) << no;
  }
}

TEST(FlowFilter, OfIpv6Too) {
  for (const char* yes : {"tcp", "port 443", "ip6", "host 2001:db8::1", "net 2001:db8:80::/48", "not port 22",
                          "ip6 and tcp port 443", "not ip", "portrange 443-443", "ip6 proto 6"}) {
    EXPECT_TRUE(matches(yes, web6)) << yes;
  }
  for (const char* no : {"ip", "port 80", "host 2001:db8::2", "net 2001:db8:81::/48", "not port 443", "net 10/8"}) {
    EXPECT_FALSE(matches(no, web6)) << no;
  }
}

TEST(FlowFilter, WhatIsOfSinglePacketsIsRefusedByItsName) {
  EXPECT_TRUE(refusal("port 80 and tcp[tcpflags] & tcp-syn != 0").contains("'tcp[tcpflags]'"));
  EXPECT_TRUE(refusal("tcp[13] & 2 != 0 and port 80").contains("'tcp[13]'"));
  EXPECT_TRUE(refusal("port 80 and greater 500").contains("'greater 500'"));
  EXPECT_TRUE(refusal("less 64").contains("'less 64'"));
  EXPECT_TRUE(refusal("len > 100 and port 80").contains("'len'"));
  EXPECT_TRUE(refusal("ip[8] < 5").contains("'ip[8]'"));
  EXPECT_TRUE(refusal("ip[6:2] & 0x4000 != 0").contains("'ip[6:2]'"));
  EXPECT_TRUE(refusal("ip6[7] < 5").contains("'ip6[7]'"));
  EXPECT_TRUE(refusal("not (port 80 or tcp[4:4] = 7)").contains("'tcp[4:4]'"));
  EXPECT_TRUE(refusal("ip[0] & 0xf > 5").contains("'ip[0]'"));
}

TEST(FlowFilter, HowAPacketCameIsRefusedByItsName) {
  EXPECT_TRUE(refusal("inbound").contains("'inbound' is of single packets")) << refusal("inbound");
  EXPECT_TRUE(refusal("port 443 and outbound").contains("'outbound'"));
  EXPECT_TRUE(refusal("ifindex 2 and port 80").contains("'ifindex 2'"));
  EXPECT_EQ(refusal("port 443"), "(accepted)");
}

TEST(FlowFilter, WhatNoConnectionMatchesIsRefused) {
  for (const char* none : {"udp port 53", "icmp", "arp", "not tcp", "udp", "ip and ip6", "icmp6 or udp",
                           "port 80 and udp", "ip proto 17", "port 5 and not port 5"}) {
    EXPECT_TRUE(refusal(none).contains(std::string("no TCP connection matches '") + none + "'")) << refusal(none);
  }
  for (const char* some : {"not udp port 53", "icmp or port 80", "tcp or udp", "port 53", "ip or arp", "not icmp"})
    EXPECT_EQ(refusal(some), "(accepted)") << some;
}

// One direction of every connection has another source: "not src port 22" would be true of all.
TEST(FlowFilter, NotOfOneDirectionIsRefused) {
  for (const char* one_way : {"not src port 22", "!dst port 22", "not (src host 10.0.0.1 or port 80)",
                              "port 80 and not dst net 10.0.0.0/8", "port 80 and not (port 22 or src port 23)"}) {
    EXPECT_TRUE(refusal(one_way).contains("both directions")) << refusal(one_way);
  }
  EXPECT_TRUE(refusal("not src port 22").contains("'src port'")) << refusal("not src port 22");
  for (const char* both : {"src port 22", "not port 22", "not src or dst port 22", "src port 80 and not port 22",
                           "not port 22 and dst port 80", "not (port 22 or port 23) and src host 10.0.0.1",
                           "src host 10.0.0.1 and dst port 80"})
    EXPECT_EQ(refusal(both), "(accepted)") << both;
  const Flow ssh = flow("10.1.2.3", 40000, "192.0.2.80", 22);
  EXPECT_FALSE(matches("not src or dst port 22", ssh));
  EXPECT_TRUE(matches("not src or dst port 23", ssh));
}

TEST(FlowFilter, AnExpressionThatTakesLibpcapMinutesIsRefused) {
  std::string ports = "port 9000";
  for (int i = 1; i < 1000; ++i) ports += fmt::format(" or port {}", 9000 + i);
  EXPECT_TRUE(refusal(ports).contains("at most 2048")) << refusal(ports);
}

TEST(FlowFilter, ANegationIsKnown) {
  for (const char* with : {"not port 22", "!port 22", "port 80 and !(host 10.0.0.1)", "port 80 and(not host 10.0.0.1)"})
    EXPECT_TRUE(FlowFilter::compile(with).value()->excludes()) << with;
  for (const char* without : {"port 22", "tcp and net 10/8", "port 80 or host 10.0.0.1"})
    EXPECT_FALSE(FlowFilter::compile(without).value()->excludes()) << without;
}

TEST(FlowFilter, WhatLibpcapRefusesIsSaidInItsWords) {
  EXPECT_TRUE(refusal("port").contains("syntax error"));
  EXPECT_TRUE(refusal("ether host 00:11:22:33:44:55").contains("ethernet"));
  EXPECT_FALSE(refusal("vlan 5").contains("accepted"));
  EXPECT_TRUE(refusal("port 70000").contains("70000"));
}

TEST(FlowFilter, APlainConjunctionIsTheKernels) {
  const auto both = as_kernel_filter("tcp port 443 and net 10/8");
  ASSERT_TRUE(both);
  EXPECT_EQ(both->ports, (std::vector<PortRange>{{443, 443}}));
  ASSERT_EQ(both->hosts.size(), 1U);
  EXPECT_TRUE(both->hosts[0].contains(golden::ip("10.255.0.1")));
  EXPECT_FALSE(both->hosts[0].contains(golden::ip("11.0.0.1")));
  EXPECT_EQ(as_kernel_filter("portrange 80-8000")->ports, (std::vector<PortRange>{{80, 8000}}));
  EXPECT_TRUE(as_kernel_filter("tcp")->ports.empty());
  EXPECT_TRUE(as_kernel_filter("host 2001:db8::1 and port 80"));
  for (const char* other : {"not port 22",
                            "port 80 or port 443",
                            "host 10.0.0.1 and host 10.0.0.2",
                            "port 80 and port 443",
                            "src port 80",
                            "(port 80)",
                            "udp port 80",
                            "host localhost",
                            "port http",
                            "ip6 and port 80",
                            "port 80 and",
                            "host 10.0.0.0/8",
                            "tcp port 80 host 10.0.0.1",
                            "",
                            "port 0100",
                            "port 0x50",
                            "portrange 010-020",
                            "net 10.0.0.0/010",
                            "net ::/0",
                            "net ::/8",
                            "net ::/80",
                            "net ::ffff:0:0/96",
                            "net ::ffff:10.0.0.0/104",
                            "host ::ffff:10.1.2.3"}) {
    EXPECT_FALSE(as_kernel_filter(other)) << other;
  }
}

TEST(FlowFilter, WhatHasNoKernelFormIsLibpcaps) {
  const Flow octal = flow("10.1.2.3", 40000, "192.0.2.80", 64);
  const Flow decimal = flow("10.1.2.3", 40000, "192.0.2.80", 100);
  EXPECT_TRUE(matches("port 0100", octal));
  EXPECT_FALSE(matches("port 0100", decimal));
  EXPECT_TRUE(matches("net ::/0", web6));
  EXPECT_FALSE(matches("net ::/0", web));
  EXPECT_FALSE(matches("net ::/80", web));
  EXPECT_FALSE(matches("net ::ffff:10.0.0.0/104", web));
}

TEST(FlowFilter, AFileIsNoExpressionAndReadReadsIt) {
  EXPECT_TRUE(refusal("/proc/self/stat").contains("tcpwitness read /proc/self/stat")) << refusal("/proc/self/stat");
  EXPECT_TRUE(refusal("/proc/self/none").contains("man 7 pcap-filter")) << refusal("/proc/self/none");
}

// Wherever the kernel's form is used, it must select what the expression selects.
TEST(FlowFilter, TheKernelsFormSaysTheSame) {
  for (const char* expression : {"port 443", "portrange 440-450", "net 10/8", "net 10.1", "host 192.0.2.80 and tcp",
                                 "net 192.0.2.0/24 and port 80", "net 2001:db8::/32", "host 2001:db8::1 and port 443",
                                 "tcp", "net 10.1.2.3", "net 0.0.0.0/0", "net 10.0.0.0/8", "port 80", "net ::/97",
                                 "net ::fffe:0:0/96", "net 8000::/1", "net ::1/128", "net 2000::/3"}) {
    const auto kernel = as_kernel_filter(expression);
    ASSERT_TRUE(kernel) << expression;
    for (const Flow& one : {web, web6, flow("10.1.9.9", 80, "172.16.0.1", 22), flow("192.0.2.80", 80, "192.0.2.1", 9),
                            flow("2001:db9::1", 443, "2001:db9::2", 5), flow("::1", 443, "::1", 64),
                            flow("fe80::1", 100, "fe80::2", 64)}) {
      const auto port = [&](const PortRange& p) { return p.contains(one.local.port) || p.contains(one.remote.port); };
      const auto host = [&](const Prefix& p) {
        return p.contains(one.local.address) || p.contains(one.remote.address);
      };
      const bool says = (kernel->ports.empty() || std::ranges::any_of(kernel->ports, port)) &&
                        (kernel->hosts.empty() || std::ranges::any_of(kernel->hosts, host));
      EXPECT_EQ(says, matches(expression, one)) << expression;
    }
  }
}

}  // namespace
}  // namespace tcpwitness
