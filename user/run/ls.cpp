// SPDX-License-Identifier: Apache-2.0
// ls.cpp: ls: the sockets that are open now, with owner, queues and what is wrong with each, once or every so often.
//
//   iterators (snapshot.bpf.c), sock_diag -> OpenSocket -> judge_open_socket -> table
//
// Only the iterators are loaded, and nothing is traced: a listing costs what it reads. (--uid and --children have hooks
// of their own, at fork and exit: live_filter.hpp.)
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <span>
#include <string>
#include <tuple>

#include "decode/record.hpp"
#include "judge/open_socket.hpp"
#include "probe/features.hpp"
#include "probe/listen_queues.hpp"
#include "probe/netns.hpp"
#include "probe/tracer.hpp"
#include "run/clocks.hpp"
#include "run/live_filter.hpp"
#include "run/messages.hpp"
#include "run/run.hpp"
#include "run/signals.hpp"
#include "sink/views/sockets.hpp"

namespace tcpwitness {
namespace {

constexpr std::int64_t stuck_after_ns = 10'000'000'000;

OpenSocket open_socket(const SocketFound& found) {
  OpenSocket socket;
  socket.cookie = found.header.cookie;
  socket.netns = found.header.netns;
  socket.flow = to_flow(found.tuple);
  return socket;
}

class Lister {
 public:
  Lister(const Options& options, const LiveFilter& live_filter, Tracer& tracer)
      : options_(options), live_filter_(live_filter), tracer_(tracer) {}

  Result<SocketListing> list() {
    sockets_.clear();
    auto read = tracer_.list_sockets([this](std::span<const std::byte> bytes) { take_socket(bytes); });
    if (!read) return std::unexpected(read.error());
    tracer_.snapshot_fin_wait2([this](std::span<const std::byte> bytes) { take_closed(bytes); });
    read = tracer_.list_owners([this](std::span<const std::byte> bytes) { take_owner(bytes); });
    if (!read && options_.of_some_processes()) return std::unexpected(read.error());
    if (!read) say("tcpwitness: owners are not known: " + read.error().message());
    take_queues();
    SocketListing listing{.ts_ns = realtime_ns(), .sockets = {}, .all = 0};
    for (auto& [cookie, socket] : sockets_) {
      if (!wanted(socket)) continue;
      ++listing.all;
      const auto stuck = options_.stuck_after ? options_.stuck_after->count() : stuck_after_ns;
      auto findings = judge_open_socket(socket, stuck);
      const auto chosen = [&](const Finding& finding) { return options_.report_filter.wants(finding.rule); };
      if (options_.report_filter.any() && std::ranges::none_of(findings, chosen)) continue;
      listing.sockets.push_back({std::move(socket), std::move(findings)});
    }
    // Listeners first, then by address.
    std::ranges::sort(listing.sockets, {}, [](const ListedSocket& one) {
      return std::tuple(one.socket.state != TcpState::listen, one.socket.flow.local.address.bytes,
                        one.socket.flow.local.port, one.socket.flow.remote.address.bytes, one.socket.flow.remote.port,
                        one.socket.cookie);
    });
    return listing;
  }

 private:
  void take_socket(std::span<const std::byte> bytes) {
    const auto found = socket_in(bytes);
    if (!found || found->type == SocketKind::none) return;
    OpenSocket socket = open_socket(*found);
    socket.state = found->cb.state;
    socket.cb = found->cb;
    socket.has_control_block = found->type == SocketKind::full;
    if (socket.has_control_block) {
      socket.has_queues = true;
      socket.recv_queue = unread_bytes(found->cb);
      socket.send_queue = unacknowledged_bytes(found->cb);
    }
    if (socket.state == TcpState::close) return;  // not connected, or over
    sockets_.emplace(socket.cookie, std::move(socket));
  }

  // No process has it any more, and no socket: a mini-socket waits for the peer's FIN.
  void take_closed(std::span<const std::byte> bytes) {
    const auto found = socket_in(bytes);
    if (!found || found->type != SocketKind::time_wait) return;
    OpenSocket socket = open_socket(*found);
    socket.state = TcpState::fin_wait2;
    constexpr std::uint64_t no_cookie = std::uint64_t{1} << 63U;  // nobody has asked for one: by their number
    const std::uint64_t key = socket.cookie != 0 ? socket.cookie : no_cookie + sockets_.size();
    sockets_.emplace(key, std::move(socket));
  }

  void take_owner(std::span<const std::byte> bytes) {
    const auto owner = owner_in(bytes);
    if (!owner || owner->actor.tgid == 0) return;
    const auto at = sockets_.find(owner->header.cookie);
    if (at == sockets_.end()) return;
    auto& holders = at->second.holders;
    if (std::ranges::find(holders, owner->actor.tgid, &SocketHolder::pid) != holders.end()) return;
    holders.push_back({.pid = owner->actor.tgid, .comm = name_of(owner->actor), .fd = owner->fd});
    std::ranges::sort(holders, {}, &SocketHolder::pid);
  }

  void take_queues() {
    const auto queues = listen_queues();
    if (!queues) return say("tcpwitness: " + queues.error().message());
    for (const auto& [cookie, queue] : *queues) {
      const auto at = sockets_.find(cookie);
      if (at == sockets_.end()) continue;
      at->second.has_queues = true;
      at->second.recv_queue = queue.waiting;
      at->second.send_queue = queue.limit;
    }
  }

  [[nodiscard]] bool wanted(OpenSocket& socket) const {
    if (const auto& of_flow = live_filter_.of_flow(); of_flow && !of_flow(socket.flow)) return false;
    if (!options_.of_some_processes()) return true;
    return put_first(socket.holders, [&](const SocketHolder& holder) {
      const auto& of_process = live_filter_.of_process();
      return (options_.pid == 0 || options_.children || holder.pid == options_.pid) &&
             (options_.comm.empty() || holder.comm == options_.comm) &&
             (!of_process || of_process({.pid = holder.pid, .comm = holder.comm, .source = PidSource::snapshot}));
    });
  }

  const Options& options_;
  const LiveFilter& live_filter_;
  Tracer& tracer_;
  std::map<std::uint64_t, OpenSocket> sockets_;
};

// Until the next listing. True: a signal ended it.
bool wait(int signals, std::chrono::nanoseconds time) {
  pollfd ready{.fd = signals, .events = POLLIN, .revents = 0};
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(time).count();
  return ::poll(&ready, 1, static_cast<int>(std::clamp<std::int64_t>(ms, 0, 1'000'000'000))) > 0;
}

}  // namespace

int run_ls(const Options& options) {
  const auto signals = take_signals();
  if (!signals) return fail(signals.error());
  LiveFilter live_filter;
  TracerSettings settings;
  settings.listing = true;
  settings.ports = options.ports;
  settings.hosts = options.hosts;
  if (auto chosen = live_filter.choose_flows(options, settings); !chosen) return refuse(chosen.error());
  if (!options.netns.empty()) {
    if (auto entered = enter_netns(options.netns); !entered) return fail(entered.error());
  }
  if (auto chosen = live_filter.choose_processes(options); !chosen) return fail(chosen.error());
  const DisabledFeatures disabled = DisabledFeatures::from_environment();
  const auto features = find_features(disabled);
  if (!features) return fail(features.error());
  const auto tracer =
      Tracer::load(settings, *features, disabled, [](const std::string& text) { say("tcpwitness: " + text); });
  if (!tracer) return fail(tracer.error());
  Lister lister(options, live_filter, **tracer);
  Output output(STDOUT_FILENO);
  output.stop_waiting_for(signals->get());
  TextStyle style = style_of(STDOUT_FILENO);
  style.screen = style.screen && options.every;
  const auto begun = std::chrono::steady_clock::now();
  if (options.format == OutputFormat::csv) write_sockets_csv_header(output);
  for (std::uint64_t round = 1;; ++round) {
    const auto listed = lister.list();
    if (!listed) return fail(listed.error());
    const SocketListing& listing = *listed;
    switch (options.format) {
      case OutputFormat::text:
        write_sockets_text(output, listing, style, options.every.has_value());
        break;
      case OutputFormat::json:
        write_sockets_json(output, listing);
        break;
      case OutputFormat::csv:
        write_sockets_csv(output, listing);
        break;
    }
    if (!output.flush()) return broken_output(output.error());
    if (!options.every || round == options.count.value_or(0)) break;
    const auto next = *options.every;
    const auto passed = std::chrono::steady_clock::now() - begun;
    if (options.duration && passed + next > *options.duration) break;
    if (wait(signals->get(), next)) break;
  }
  return 0;
}

}  // namespace tcpwitness
