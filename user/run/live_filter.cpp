// SPDX-License-Identifier: Apache-2.0
#include "run/live_filter.hpp"

#include <fmt/format.h>
#include <pwd.h>

#include <algorithm>

#include "capture/kernel_filter.hpp"
#include "values/number.hpp"

namespace tcpwitness {
namespace {

// A number, or a name that this machine knows.
Result<std::uint32_t> user_id(const std::string& user) {
  if (const auto id = number_in<std::uint32_t>(user)) return *id;
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) return failure(fmt::format("choose the user '{}'", user), "there is none of this name");
  return entry->pw_uid;
}

}  // namespace

Result<void> LiveFilter::choose_flows(const Options& options, TracerSettings& settings) {
  const FlowFilter* filter = nullptr;
  if (!options.expression.empty()) {
    auto compiled = FlowFilter::compile(options.expression);
    if (!compiled) return std::unexpected(compiled.error());
    const auto in_kernel = as_kernel_filter(options.expression);
    const bool twice = in_kernel && ((!in_kernel->ports.empty() && !options.ports.empty()) ||
                                     (!in_kernel->hosts.empty() && !options.hosts.empty()));
    if (in_kernel && !twice) {
      settings.ports.insert(settings.ports.end(), in_kernel->ports.begin(), in_kernel->ports.end());
      settings.hosts.insert(settings.hosts.end(), in_kernel->hosts.begin(), in_kernel->hosts.end());
    } else if (options.command == Command::record) {
      return failure(fmt::format("record by the filter '{}'", options.expression),
                     "what is recorded is chosen in the kernel, which compares ports and networks, one of each",
                     "record more, and select with 'tcpwitness read FILE EXPRESSION'");
    } else {
      filter_ = std::move(*compiled);
      filter = filter_.get();
    }
  }
  if (filter != nullptr) of_flow_ = [filter](const Flow& flow) { return filter->matches(flow); };
  return {};
}

Result<void> LiveFilter::choose_processes(const Options& options) {
  // A recording is of all processes; the command ends it.
  const bool of_command = !options.program.empty() && options.command != Command::record;
  const bool descendants = options.children || of_command;
  const bool of_user = !options.user.empty();
  const bool of_container = std::ranges::find(options.summary.by, GroupKey::container) != options.summary.by.end();
  // Events have the ids of the host: here they would name other processes.
  if ((of_user || options.children || of_container) && !proc_is_of_initial_namespace()) {
    return failure(fmt::format("look at processes for {}", of_user            ? "--uid"
                                                           : options.children ? "--children"
                                                                              : "--by container"),
                   there_is_proc()
                       ? "/proc is that of a container (a PID namespace): it does not know the host's processes"
                       : "/proc is not mounted",
                   there_is_proc() ? "run tcpwitness on the host, or in a container with its PID namespace (--pid=host)"
                                   : "mount it");
  }
  if (of_container) containers_ = std::make_unique<Containers>();
  if (!descendants && !of_user) return {};
  std::uint32_t user = 0;
  if (of_user) {
    const auto id = user_id(options.user);
    if (!id) return std::unexpected(id.error());
    user = *id;
  }
  auto processes =
      Processes::attach({.own_children = of_command, .pid = options.children ? options.pid : 0, .users = of_user});
  if (!processes) return std::unexpected(processes.error());
  processes_ = std::move(*processes);
  of_process_ = [all = processes_.get(), descendants, of_user, user](const Process& process) {
    return process.pid != 0 && (!descendants || all->follows(process.pid)) &&
           (!of_user || all->user_of(process.pid) == user);
  };
  return {};
}

}  // namespace tcpwitness
