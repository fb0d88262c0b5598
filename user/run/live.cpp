// SPDX-License-Identifier: Apache-2.0
// live.cpp: life, trace, explain and record: what happens on this machine now. What a live run works with is opened
// here, in the order in which privileges are needed and given up; the run itself is live_run.hpp.
//
//   ring -> Decoder -> Correlator -> Sink
//     \________|__________|_____> Recorder (record)
//
// It owns what the core must not: the clock, signals, priority, stderr.
#include <fmt/format.h>
#include <linux/capability.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cli/options.hpp"
#include "confine/confine.hpp"
#include "probe/netns.hpp"
#include "run/backlog.hpp"
#include "run/child.hpp"
#include "run/chosen_process.hpp"
#include "run/clocks.hpp"
#include "run/live_filter.hpp"
#include "run/live_parts.hpp"
#include "run/live_run.hpp"
#include "run/live_settings.hpp"
#include "run/messages.hpp"
#include "run/open_tracer.hpp"
#include "run/picture.hpp"
#include "run/run.hpp"
#include "run/serve.hpp"
#include "run/signals.hpp"
#include "run/top.hpp"
#include "service/appended_file.hpp"
#include "service/manager.hpp"

namespace tcpwitness {
namespace {

// A service goes on, a screen shows what was, and children outlive their parent.
bool ends_with_process(const Options& options, const LiveView* view) {
  return options.pid != 0 && !options.children && options.command != Command::serve && view == nullptr;
}

ServiceManager service_manager() {
  auto manager = ServiceManager::from_environment();
  if (manager) return *std::move(manager);
  say("tcpwitness: " + manager.error().message(), Priority::warning);
  return {};
}

// nohup: the run outlives its terminal. Where SIGHUP opens files again it means nothing else, and a screen has no use
// without its terminal.
IgnoredHangup ignored_hangup(const Options& options, const ServiceManager& manager, const LiveView* view) {
  return view != nullptr || hangup_reopens(options, manager) ? IgnoredHangup::taken : IgnoredHangup::stays;
}

// Interfaces that come need the first three; the next file of a recording, or of --append, may lie in somebody else's
// directory.
void give_up_capabilities(const Options& options) {
  std::vector<int> kept{CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN};
  if (opens_files_again(options)) kept.push_back(CAP_DAC_OVERRIDE);
  // The command may become another user's; the filter of system calls allows no other.
  if (!options.program.empty()) kept.push_back(CAP_KILL);
  if (auto given_up = keep_capabilities(kept); !given_up)
    say("tcpwitness: " + given_up.error().message(), Priority::warning);
}

Result<std::unique_ptr<MetricsServer>> metrics_server(const Options& options) {
  if (options.command != Command::serve) return nullptr;
  return MetricsServer::listen(options.serve);
}

Result<std::optional<Child>> prepared_child(const Options& options) {
  if (options.program.empty()) return std::nullopt;
  return Child::prepare(options.program);
}

Result<AppendedFile> appended_file(const Options& options) {
  if (options.append.empty()) return AppendedFile();
  return append_to(options.append);
}

}  // namespace

int run_live(const Options& options) { return run_live(options, nullptr); }

int run_live(const Options& options, std::unique_ptr<LiveView> view) {
  ChosenProcess process;
  if (options.pid != 0) {
    auto found = ChosenProcess::find(options.pid);
    if (!found) return fail(found.error());
    if (ends_with_process(options, view.get())) process = *std::move(found);
  }
  ServiceManager manager = service_manager();
  LiveFilter live_filter;
  TracerSettings settings = tracer_settings(options);
  if (auto chosen = live_filter.choose_flows(options, settings); !chosen) return refuse(chosen.error());
  auto signals = take_signals(ignored_hangup(options, manager, view.get()));
  if (!signals) return fail(signals.error());
  // Before another namespace is entered: who scrapes is in this one.
  const auto metrics = metrics_server(options);
  if (!metrics) return fail(metrics.error());
  if (!options.netns.empty()) {
    if (auto entered = enter_netns(options.netns); !entered) return fail(entered.error());
  }
  if (auto chosen = live_filter.choose_processes(options); !chosen) return fail(chosen.error());
  // Before there are threads, and while it can still inherit what this process may do.
  auto child = prepared_child(options);
  if (!child) return fail(child.error());
  auto appended = appended_file(options);
  if (!appended) return fail(appended.error());
  std::vector<int> watched{signals->get()};
  if (view) watched.insert(watched.end(), {view->terminal().input_fd(), view->terminal().signal_fd()});
  const auto tracing = open_tracer(settings, watched, *child ? (*child)->fd() : -1);
  if (!tracing) return fail(tracing.error());
  RunClock clock([ahead_ns = tracing->tracer->clock_ahead_ns()] { return read_clocks(ahead_ns); });
  const TimeNs started_ns = clock.now();
  Backlog backlog(*tracing->ring);
  if (auto attached = tracing->tracer->attach([&] { backlog.take(); }); !attached) return fail(attached.error());
  give_up_capabilities(options);
  const auto drawing = with_picture_file(options);
  if (!drawing) return fail(drawing.error());
  if (*metrics) {
    if (auto started = (*metrics)->start(); !started) return fail(started.error());
  }
  const LiveParts parts{.options = *drawing,
                        .live_filter = live_filter,
                        .features = tracing->features,
                        .child = *child ? &**child : nullptr,
                        .process = process,
                        .metrics = metrics->get(),
                        .view = view.get(),
                        .tracer = *tracing->tracer,
                        .ring = *tracing->ring,
                        .urgency = *tracing->urgency,
                        .backlog = backlog,
                        .clock = clock,
                        .started_ns = started_ns,
                        .signals = signals->get(),
                        .manager = manager,
                        .appended = *appended};
  return LiveRun(parts).go();
}

}  // namespace tcpwitness
