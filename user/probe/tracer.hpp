// SPDX-License-Identifier: Apache-2.0
// tracer.hpp: the BPF programs in the kernel: loaded, attached, and let go of.
//
// Everything attached hangs on file descriptors of this process, so any death detaches it; the one
// exception, clsact filters on kernels without tcx, has a guard (clsact.hpp). A program that this
// kernel cannot run is switched off with a line about what is lost; where a witness cannot do without it, that
// witness is left out as with `--kernel off` or `--wire none`, and hooks() has the reason. Neither: an error.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "probe/features.hpp"
#include "probe/interfaces.hpp"
#include "tcpwitness/address.hpp"
#include "tcpwitness/event_abi.h"
#include "tcpwitness/pipeline.hpp"
#include "tcpwitness/report.hpp"
#include "tcpwitness/result.hpp"
#include "values/kernel_questions.hpp"
#include "values/port_range.hpp"

namespace tcpwitness {

struct TracerSettings {
  std::vector<std::string> interfaces;  // empty: all that are up
  WireMode wire = WireMode::automatic;
  bool kernel = true;
  std::vector<PortRange> ports;  // empty: all
  std::vector<Prefix> hosts;
  std::uint64_t ring_bytes = 8ULL << 20U;
  std::uint32_t flows = 65536;
  bool samples = false;  // sample_sockets() will be called
  bool packets_all = false;
  bool timeline = false;      // every cause is wanted, not only what a life is judged by
  std::uint32_t snaplen = 0;  // recording: so many bytes of each frame that is an event
  bool forwarded = false;     // connections that only pass through, too
  bool digests = false;       // the ordinary events of a socket may come together, when it is destroyed
  bool listing = false;       // nothing is traced: only the iterators are loaded, for list_sockets() and list_owners()
};

// Something that changed or failed while tracing, for stderr.
using Notice = std::function<void(const std::string&)>;

// What the programs of one CPU have counted: records tried and, of these, lost for want of room; entries of the flow
// map that were added, removed, and found no room; runs that a second program made up for.
struct CpuCounts {
  std::uint64_t tried = 0;
  std::uint64_t lost = 0;
  std::uint64_t flows_added = 0;
  std::uint64_t flows_removed = 0;
  std::uint64_t flows_full = 0;
  std::uint64_t again = 0;  // runs that the kernel skipped, and whose second program did the work
};

class Tracer {
 public:
  // Loads the programs and makes the ring; no hook is attached yet.
  static Result<std::unique_ptr<Tracer>> load(const TracerSettings& settings, const Features& features,
                                              const DisabledFeatures& disabled, const Notice& notice);
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // Called between two hooks, as the first one fills the ring while the last one is attached or detached.
  using Meanwhile = std::function<void()>;
  Result<void> attach(const Meanwhile& meanwhile);
  // Lets go of every hook; the ring stays readable.
  void detach(const Meanwhile& meanwhile);

  [[nodiscard]] std::vector<Hook> hooks() const;
  [[nodiscard]] int ring_fd() const;
  [[nodiscard]] int links_fd() const;  // readable when an interface has changed
  [[nodiscard]] bool has_kernel() const;
  [[nodiscard]] bool has_wire() const;
  // No interface is left out, by a name that was asked for or by a hook that could not be attached.
  [[nodiscard]] bool every_interface() const;
  // Interface names by index, of all that this namespace has and had.
  [[nodiscard]] const std::map<std::uint32_t, std::string>& interface_names() const;

  // Sockets and their owners that exist now: calls `record` with each record.
  using OnRecord = std::function<void(std::span<const std::byte>)>;
  Result<void> list_sockets(const OnRecord& record);
  Result<void> list_owners(const OnRecord& record);
  // The same while tracing: losing them is a notice. Without the kernel's hooks: what the flow map has counted.
  void snapshot_sockets(const OnRecord& record);
  void snapshot_owners(const OnRecord& record);
  void snapshot_close_wait_owners(const OnRecord& record);  // of sockets in CLOSE_WAIT only
  void snapshot_fin_wait2(const OnRecord& record);          // sockets in FIN_WAIT2, mini-sockets too
  void sample_sockets(const OnRecord& record);              // how each open connection sends: a tw_sample each
  void snapshot_hops(const OnRecord& record);               // both hops of each forwarded connection
  // What the kernel holds back of sockets goes into the ring: what has waited for a second, or (at the end) all of it.
  enum class Release : std::uint8_t { old, all };
  void release_digests(Release which);
  // Who has the local ports towards one destination: one tw_ports. It walks all sockets and descriptors.
  void count_ports(const PortsQuestion& question, const OnRecord& record);

  // Attaches to interfaces that came and lets go of those that went.
  struct InterfaceNews {
    bool changed = false;  // a name, or a hook
    // Segments of an interface may have passed unseen for so long: somebody detached a program, or none could be
    // attached.
    std::optional<std::chrono::steady_clock::duration> unseen{};
  };
  InterfaceNews follow_interfaces();

  // Runs of kernel programs that the kernel left out because the same program was at work on that CPU (an
  // interrupt in the middle of it): losses that no program could count. So far; never shrinks.
  [[nodiscard]] std::uint64_t skipped_runs();

  // What is counted of these now: one tw_socket each, where the flow map has it.
  void count_hops(const std::vector<Flow>& hops, const OnRecord& record) const;
  // Takes these out of the flow map.
  void delete_flows(const std::vector<FlowToDelete>& hops);

  // Entries of the flow map that gave way to newer ones, so far. It walks the map (60 ms for 64,000).
  [[nodiscard]] std::uint64_t evicted_flows() const;

  // How far the records' clock is ahead of this process's CLOCK_MONOTONIC: 0 outside of time namespaces.
  [[nodiscard]] std::int64_t clock_ahead_ns() const;

  // What the programs have counted so far, by CPU.
  [[nodiscard]] std::vector<CpuCounts> cpu_counts() const;

 private:
  Tracer();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tcpwitness
