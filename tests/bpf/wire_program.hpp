// SPDX-License-Identifier: Apache-2.0
// wire_program.hpp: the wire object, loaded in a network namespace of its own and run frame by frame
// through BPF_PROG_TEST_RUN.
//
// Nothing is attached unless asked for: what a run returns is the program's verdict, the frame as the program left it
// and the records it put into the ring. On egress the kernel lends the frame a socket that is not TCP's,
// so tw_socket_view.type is UNKNOWN there.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/frames.hpp"
#include "tcpwitness/event_abi.h"
#include "tcpwitness/result.hpp"
#include "values/unique_fd.hpp"

struct wire_bpf;  // NOLINT(readability-identifier-naming): the name that bpftool gives the skeleton
struct ring_buffer;

namespace tcpwitness::wire_test {

enum class Hook { egress, egress_ip, ingress, ingress_ip, xdp, xdp_ip };
inline constexpr std::array all_hooks{Hook::egress,     Hook::egress_ip, Hook::ingress,
                                      Hook::ingress_ip, Hook::xdp,       Hook::xdp_ip};
std::string_view name_of(Hook hook);
bool is_outgoing(Hook hook);
bool is_raw_ip(Hook hook);
bool is_xdp(Hook hook);
std::uint8_t reported_as(Hook hook);       // enum tw_hook
std::uint32_t passing_verdict(Hook hook);  // XDP_PASS, TC_ACT_UNSPEC

// The calling thread's network namespace while it lives: `lo`, `tw0` and `tw1` up (a veth pair).
class OwnNamespace {
 public:
  static Result<OwnNamespace> enter();
  OwnNamespace(OwnNamespace&&) = default;
  OwnNamespace& operator=(OwnNamespace&&) = delete;
  ~OwnNamespace();

 private:
  explicit OwnNamespace(UniqueFd before) : before_(std::move(before)) {}
  UniqueFd before_;
};

// The number of the network namespace that this thread is in.
std::uint32_t current_netns();

struct Settings {
  tw_config config{};
  std::uint32_t ring_bytes = 1U << 20U;
  std::uint32_t flows = 4096;
  std::vector<tw_host> hosts{};  // config.some_hosts is set where there are any
  bool own_netns = false;        // sets config.netns to that of the program's frames
};

// How a frame arrives.
struct Arrival {
  std::uint32_t ifindex = 0;  // 0: tw0
  std::uint32_t gso_segs = 0;
  std::uint32_t gso_size = 0;
  std::uint32_t linear = 0;  // tc only: this many bytes in the linear part, the rest in fragments; 0: all
};

struct Outcome {
  int error = 0;  // the kernel refused to run this frame at all
  std::uint32_t verdict = 0;
  Bytes after{};
  std::vector<tw_segment> records{};
  std::vector<Bytes> whole{};  // the same, with what follows the segment while recording
};

// What the flow map holds of one direction (struct tw_half in bpf/maps.h), by the names there.
struct Half {
  std::uint32_t nxt = 0;
  std::uint32_t isn = 0;
  std::uint32_t fin_end = 0;
  std::uint8_t seen = 0;
  std::uint8_t syn = 0;
  std::uint8_t fin = 0;
  std::uint8_t fin_acked = 0;
  std::uint8_t zero_window = 0;
};

class WireProgram {
 public:
  static Result<std::unique_ptr<WireProgram>> load(const Settings& settings);
  ~WireProgram();
  WireProgram(const WireProgram&) = delete;
  WireProgram& operator=(const WireProgram&) = delete;

  // Runs the frame once; drains the ring unless reported to leave it as it is.
  Outcome run(Hook hook, const Bytes& frame, const Arrival& arrival = {}, bool drain = true);
  // Runs it `repeat` times in the kernel; nanoseconds of one run, negative on error.
  double measure(Hook hook, const Bytes& frame, std::uint32_t repeat);
  // Attached to a tcx ingress hook while the descriptor lives, for frames that really travel.
  Result<UniqueFd> attach_ingress(Hook hook, std::uint32_t ifindex);
  std::vector<tw_segment> drain();
  [[nodiscard]] std::vector<tw_cpu_state> cpu_states() const;
  [[nodiscard]] std::size_t flow_count() const;
  // Empty where no such flow is in the map. Fields are found by the object's own type information.
  [[nodiscard]] std::optional<Half> half(const Endpoint& local, const Endpoint& remote, bool outgoing) const;
  [[nodiscard]] int ring_fd() const;

  [[nodiscard]] std::uint32_t first_interface() const { return first_; }
  [[nodiscard]] std::uint32_t second_interface() const { return second_; }

 private:
  explicit WireProgram(OwnNamespace netns) : netns_(std::move(netns)) {}
  [[nodiscard]] int program(Hook hook) const;

  OwnNamespace netns_;
  wire_bpf* skeleton_ = nullptr;
  ring_buffer* ring_ = nullptr;
  struct Received {
    std::vector<tw_segment> segments;
    std::vector<Bytes> whole;
    bool keep_whole = false;
  };
  static int take_record(void* into, void* data, std::size_t size);
  Received received_;
  std::uint32_t first_ = 0;
  std::uint32_t second_ = 0;
};

// Why BPF tests cannot run here; empty when they can. Probed once.
const std::string& why_not();

// One run of a program that is not the skeleton's, for comparison: nanoseconds, negative on error.
double measure_program(int program, bool xdp, const Bytes& frame, std::uint32_t repeat);

// Every test here needs BPF.
class BpfTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!why_not().empty()) GTEST_SKIP() << why_not();
  }
};

}  // namespace tcpwitness::wire_test
