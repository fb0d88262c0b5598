// SPDX-License-Identifier: Apache-2.0
// suite.hpp: one loaded wire object for all tests of a suite, and a fresh address pair for each frame.
//
// Loading runs the verifier over six programs; a suite that never needs another configuration does it
// once. Derive from WireSuite<Derived>, which may define `static Settings settings()`.
#pragma once

#include <utility>

#include "bpf/wire_program.hpp"

namespace tcpwitness::wire_test {

inline void add_port(tw_config& config, std::uint16_t port) {
  config.some_ports = 1;
  config.ports[port >> 3U] |= static_cast<__u8>(1U << (port & 7U));
}

// Ends of a connection that no other test of this process has seen. The first is 10.0.0.1 or
// 2001:db8:1::1, the address of tw0.
inline std::pair<Endpoint, Endpoint> fresh_ends(Family family = Family::ipv4) {
  static std::uint16_t port = 10000;
  port = port == 60000 ? std::uint16_t{10000} : static_cast<std::uint16_t>(port + 1);
  if (family == Family::ipv4) return {ipv4_endpoint(10, 0, 0, 1, port), ipv4_endpoint(10, 0, 0, 200, 443)};
  return {ipv6_endpoint(1, 1, port), ipv6_endpoint(1, 0xfffe, 443)};
}

template <typename Derived>
class WireSuite : public BpfTest {
  friend Derived;
  WireSuite() = default;

 public:
  static Settings settings() { return {}; }

  static void SetUpTestSuite() {
    if (!why_not().empty()) return;
    auto loaded = WireProgram::load(Derived::settings());
    ASSERT_TRUE(loaded) << loaded.error().message();
    wire = std::move(*loaded);
  }
  static void TearDownTestSuite() { wire.reset(); }

 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_TRUE(wire);
  }

  static inline std::unique_ptr<WireProgram> wire;
};

}  // namespace tcpwitness::wire_test
