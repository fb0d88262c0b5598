// SPDX-License-Identifier: Apache-2.0
#include "capture/filter.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <map>
#include <utility>

#include "capture/expression.hpp"
#include "capture/pcap_handle.hpp"

namespace tcpwitness {
namespace {

constexpr int longest_frame = 256 * 1024;

class Program {
 public:
  Program() = default;
  ~Program() { pcap_freecode(&code_); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // What libpcap has against it; empty: nothing.
  std::string compile(const std::string& expression, int dlt) {
    const PcapHandle handle(pcap_open_dead(dlt, longest_frame));
    if (!handle) return "out of memory";
    constexpr int optimise = 1;
    usable_ = pcap_compile(handle.get(), &code_, expression.c_str(), optimise, PCAP_NETMASK_UNKNOWN) == 0;
    return usable_ ? std::string() : pcap_geterr(handle.get());
  }

  [[nodiscard]] bool matches(const CaptureBlock& frame) const {
    pcap_pkthdr header{};
    header.caplen = static_cast<bpf_u_int32>(frame.bytes.size());
    header.len = frame.wire_len;
    return usable_ && pcap_offline_filter(&code_, &header, reinterpret_cast<const u_char*>(frame.bytes.data())) != 0;
  }

 private:
  bpf_program code_{};
  bool usable_ = false;
};

// Files number link types as libpcap does, but for raw IP.
int dlt_of(std::uint16_t link_type) {
  constexpr std::uint16_t file_raw_ip = 101;
  return link_type == file_raw_ip ? DLT_RAW : link_type;
}

}  // namespace

struct PacketFilter::Impl {
  std::string expression;
  std::map<int, Program> programs;  // by link type
  const Program* last = nullptr;
  int last_dlt = -1;
  std::optional<Error> refused;

  // Compiles where it is met for the first time.
  const Program& program(int dlt) {
    const auto [at, added] = programs.try_emplace(dlt);
    if (!added) return at->second;
    const std::string message = at->second.compile(expression, dlt);
    if (!message.empty() && !refused) {
      const char* name = pcap_datalink_val_to_name(dlt);
      refused = Error{fmt::format("apply the filter '{}' to frames of link type {}", expression,
                                  name != nullptr ? name : std::to_string(dlt)),
                      message, "these frames are left out"};
    }
    return at->second;
  }
};

PacketFilter::PacketFilter() : impl_(std::make_unique<Impl>()) {}
PacketFilter::~PacketFilter() = default;

Result<std::unique_ptr<PacketFilter>> PacketFilter::compile(const std::string& expression) {
  std::string message = too_long(expression);
  if (!message.empty()) return failure("use the filter", message, "portrange and net say much in few words");
  for (const int dlt : {DLT_RAW, DLT_EN10MB}) {
    message = Program().compile(expression, dlt);
    if (message.empty()) break;
  }
  if (!message.empty())
    return failure(fmt::format("use the filter '{}'", expression), message, "man 7 pcap-filter has the syntax");
  std::unique_ptr<PacketFilter> filter(new PacketFilter());
  filter->impl_->expression = expression;
  return filter;
}

bool PacketFilter::matches(const CaptureBlock& frame) {
  Impl& impl = *impl_;
  const int dlt = dlt_of(frame.link_type);
  if (dlt != impl.last_dlt) {
    impl.last = &impl.program(dlt);
    impl.last_dlt = dlt;
  }
  return impl.last->matches(frame);
}

const std::optional<Error>& PacketFilter::refused() const { return impl_->refused; }

}  // namespace tcpwitness
