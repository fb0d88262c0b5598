// SPDX-License-Identifier: Apache-2.0
#include "probe/diagnose.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/if_link.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include "probe/clsact.hpp"
#include "probe/interfaces.hpp"
#include "probe/kernel_fields.hpp"
#include "probe/kernel_hooks.hpp"
#include "probe/log.hpp"
#include "probe/tracer.hpp"
#include "values/unique_fd.hpp"
#include "values/words.hpp"

namespace tcpwitness {
namespace {

using Group = Check::Group;
using State = Check::State;

// The first line of a small file; "" where it cannot be read.
std::string line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

class Diagnosis {
 public:
  Diagnosis(const std::vector<std::string>& names, std::uint64_t ring_bytes, const DisabledFeatures& disabled)
      : names_(names), ring_bytes_(ring_bytes), disabled_(disabled) {}

  Result<Checkup> go() {
    capture_libbpf_log();
    if (auto found = find_interfaces(); !found) return std::unexpected(found.error());
    checkup_.kernel = read_features(disabled_).kernel_release;
    checkup_.libbpf = fmt::format("{}.{}", libbpf_major_version(), libbpf_minor_version());
    const bool may_try = look_at_grounds();
    look_at_names();
    look_at_fields();
    look_at_settings();
    look_for_residue();  // before there is anything of our own
    if (may_try) {
      attach_for_a_moment();
    } else {
      guess_hooks();
    }
    return std::move(checkup_);
  }

 private:
  void add(Group group, State state, std::string name, std::string found, std::string advice = {}) {
    checkup_.checks.push_back({group, state, std::move(name), std::move(found), std::move(advice)});
  }

  Result<void> find_interfaces() {
    auto all = list_interfaces();
    if (!all) return std::unexpected(all.error());
    if (names_.empty()) {
      interfaces_ = std::move(*all);
      return {};
    }
    for (const std::string& name : names_) {
      auto interface = find_interface(*all, name);
      if (!interface) return std::unexpected(interface.error());
      interfaces_.push_back(std::move(*interface));
    }
    return {};
  }

  // What no run can do without. False: there is no use in trying.
  bool look_at_grounds() {
    const auto ground = [&](const Result<void>& result, std::string name, std::string good) {
      if (result) {
        add(Group::machine, State::good, std::move(name), std::move(good));
      } else {
        add(Group::machine, State::bad, std::move(name), result.error().why, result.error().hint);
      }
      return result.has_value();
    };
    const bool kernel =
        ground(check_kernel(disabled_), "kernel", checkup_.kernel + " has the BPF ring buffer (since 5.8)");
    const bool btf = ground(check_btf(disabled_), "type information", "/sys/kernel/btf/vmlinux is there");
    const bool privilege = ground(check_privilege(disabled_), "privilege",
                                  ::geteuid() == 0 ? "root" : "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN");
    const std::string lockdown = line_of("/sys/kernel/security/lockdown");
    if (lockdown.contains("[confidentiality]")) {
      add(Group::machine, State::bad, "lockdown", "the kernel is locked down to confidentiality: BPF may not read it");
    }
    if (!kernel || !btf) checkup_.kernel_witness = checkup_.wire_witness = State::bad;
    return kernel && btf && privilege;
  }

  // Reasons have names only where the kernel's types show them.
  void look_at_names() {
    if (!check_btf(disabled_)) return;
    const Features features = read_features(disabled_);
    const auto names = [&](const std::vector<std::string>& known, std::string name, std::string_view what,
                           std::string_view since) {
      const auto count = std::ranges::count_if(known, [](const std::string& one) { return !one.empty(); });
      if (count != 0) {
        std::string decoded = fmt::format("{} {} decoded", count, name);
        add(Group::machine, State::good, std::move(name), std::move(decoded));
      } else {
        add(Group::machine, State::less, std::move(name),
            fmt::format("this kernel has no names for them: why {} is not reported (since {})", what, since));
      }
    };
    names(features.drop_reasons, "drop reasons", "a segment was dropped", "5.17");
    names(features.reset_reasons, "reset reasons", "a RST was sent", "6.10");
  }

  // What the programs read where it is there.
  void look_at_fields() {
    if (!check_btf(disabled_)) return;
    for (const KernelField& field : optional_fields()) {
      if (field.lost.empty() || kernel_has(field, disabled_)) continue;
      add(Group::kernel, State::less, fmt::format("{}.{}", field.type, field.field),
          fmt::format("{}: not known, this kernel has no such field", field.lost));
    }
  }

  void look_at_settings() {
    const std::string jit = line_of("/proc/sys/net/core/bpf_jit_enable");
    if (jit.empty()) {
      add(Group::machine, State::unknown, "BPF compiler", "/proc/sys/net/core/bpf_jit_enable cannot be read",
          ::geteuid() == 0 ? "" : "only root may");
    } else if (jit == "0") {
      add(Group::machine, State::less, "BPF compiler", "off: programs are interpreted and cost several times as much",
          "sysctl net.core.bpf_jit_enable=1");
    } else {
      add(Group::machine, State::good, "BPF compiler", "on");
    }
    rlimit limit{};
    if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return;
    add(Group::machine, State::good, "locked memory",
        fmt::format("limit {}; kernels since 5.11 do not count BPF's memory in it",
                    limit.rlim_cur == RLIM_INFINITY ? "none" : bytes_in_words(limit.rlim_cur)));
  }

  // ---- what a run before may have left

  // By /proc/PID/stat, "42 (name) S ...": a name can hold brackets, and a dead process waits as Z for its parent.
  static bool alive(const std::string& stat) {
    const std::size_t state = stat.rfind(") ");
    return state != std::string::npos && stat[state + 2] != 'Z' && stat[state + 2] != 'X';
  }

  // Processes of this name, without this one, as /proc shows them.
  static std::vector<int> processes_named(std::string_view wanted) {
    std::vector<int> found;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      const int pid = std::atoi(name.c_str());
      if (pid != ::getpid() && line_of(entry.path() / "comm") == wanted && alive(line_of(entry.path() / "stat"))) {
        found.push_back(pid);
      }
    }
    return found;
  }

  static bool named_like_ours(std::string_view name) {
    constexpr std::size_t kept = BPF_OBJ_NAME_LEN - 1;
    const auto is = [&](std::string_view ours) { return name == ours.substr(0, kept); };
    if (std::ranges::any_of(kernel_programs(), [&](const KernelProgram& one) { return is(one.program); })) return true;
    return is("wire_ingress") || is("wire_egress") || is("wire_xdp") || is("wire_ingress_ip") || is("wire_egress_ip");
  }

  // Nothing where this process may not ask.
  static std::optional<std::size_t> loaded_programs() {
    std::size_t count = 0;
    __u32 id = 0;
    for (;;) {
      if (const int error = bpf_prog_get_next_id(id, &id); error != 0) {
        if (error == -ENOENT) return count;
        return std::nullopt;
      }
      const UniqueFd program(bpf_prog_get_fd_by_id(id));
      if (!program.valid()) continue;
      bpf_prog_info info{};
      __u32 size = sizeof(info);
      if (bpf_obj_get_info_by_fd(program.get(), &info, &size) == 0 &&
          named_like_ours(static_cast<const char*>(info.name)))
        ++count;
    }
  }

  void look_for_residue() {
    const std::vector<int> runs = processes_named("tcpwitness");
    const std::string others = fmt::format("{}", fmt::join(runs, ", "));
    if (!runs.empty()) {
      add(Group::residue, State::good, "other runs", fmt::format("another instance is running: process {}", others));
    }
    std::string filters;
    for (const Interface& interface : interfaces_) {
      for (const bool egress : {false, true}) {
        if (has_our_filter(interface.index, egress))
          filters += fmt::format("{}{} {}", filters.empty() ? "" : ", ", interface.name, egress ? "egress" : "ingress");
      }
    }
    static_cast<void>(take_libbpf_log());
    const bool guarded = !processes_named(clsact_guard_name).empty();
    if (filters.empty()) {
      add(Group::residue, State::good, "tc filters", "none of ours is on an interface");
    } else if (guarded) {
      add(Group::residue, State::good, "tc filters", filters + ": of a run that is at work");
    } else {
      add(Group::residue, State::less, "tc filters", filters + ": left by a run whose guard process was killed too",
          "the next run that needs the place replaces them; by hand: tc filter del dev IFACE ingress (or egress) pref "
          "29815");
    }
    const std::optional<std::size_t> programs = loaded_programs();
    if (!programs) {
      add(Group::residue, State::unknown, "BPF programs", "this process may not list them", "run it as root (sudo)");
    } else if (*programs == 0) {
      add(Group::residue, State::good, "BPF programs", "none of ours is loaded");
    } else if (!runs.empty() || guarded) {
      add(Group::residue, State::good, "BPF programs",
          fmt::format("{} with our names are loaded, and tcpwitness is at work", *programs));
    } else {
      add(Group::residue, State::less, "BPF programs",
          fmt::format("{} with our names are loaded, and no tcpwitness is seen at work", *programs),
          "another PID namespace may have one; the kernel frees them a moment after a run");
    }
  }

  // ---- the hooks

  [[nodiscard]] std::string xdp_slot(const Interface& interface) const {
    bpf_xdp_query_opts slot{};
    slot.sz = sizeof(slot);
    if (bpf_xdp_query(static_cast<int>(interface.index), 0, &slot) != 0) return "XDP slot: could not be asked";
    if (slot.attach_mode == XDP_ATTACHED_NONE) return "XDP slot free (not tried)";
    const std::string_view mode = slot.attach_mode == XDP_ATTACHED_SKB   ? "generic"
                                  : slot.attach_mode == XDP_ATTACHED_DRV ? "native"
                                  : slot.attach_mode == XDP_ATTACHED_HW  ? "in hardware"
                                                                         : "several";
    return fmt::format("XDP slot taken ({}, program {}): --wire xdp falls back to tc", mode, slot.prog_id);
  }

  // Why an interface is not watched; "" where it is.
  static std::string passed_over(const Interface& interface) {
    if (interface.layer == LinkLayer::unsupported) {
      return fmt::format("not watched: its link layer (ARPHRD {}) is neither Ethernet nor plain IP",
                         interface.hardware_type);
    }
    if (interface.ifb) return "not watched: what is redirected to an ifb is seen where it comes in or leaves";
    return interface.up || interface.layer == LinkLayer::ethernet ? "" : "not watched until it is up";
  }

  void attach_for_a_moment() {
    TracerSettings settings;
    settings.interfaces = names_;
    settings.ring_bytes = ring_bytes_;
    std::vector<std::string> notices;
    const auto begun = std::chrono::steady_clock::now();
    auto tracer = Tracer::load(settings, read_features(disabled_), disabled_,
                               [&](const std::string& text) { notices.push_back(text); });
    if (tracer) {
      if (auto attached = (*tracer)->attach([] {}); !attached) tracer = std::unexpected(attached.error());
    }
    if (!tracer) {
      add(Group::machine, State::bad, "loading", tracer.error().message(), verifiers_words());
      checkup_.kernel_witness = checkup_.wire_witness = State::bad;
      for (const Interface& interface : interfaces_) add_interface(interface, {});
      return;
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
    const std::vector<Hook> hooks = (*tracer)->hooks();
    const bool kernel = (*tracer)->has_kernel();
    const bool wire = (*tracer)->has_wire();
    tracer->reset();
    add(Group::machine, State::good, "loading",
        fmt::format("the programs were verified, a ring of {} was made and the hooks attached, all in {} ms; "
                    "all of it was removed again",
                    bytes_in_words(ring_bytes_), took.count()));
    for (const std::string& notice : notices) add(Group::machine, State::less, "loading", notice);
    for (const Hook& hook : hooks) {
      if (is_missing_witness(hook))
        add(hook.name == "kernel" ? Group::kernel : Group::wire, State::bad, "as a whole", hook.why, verifiers_words());
    }
    bool kernel_whole = true;
    for (const KernelProgram& program : kernel_programs()) {
      const auto hook = std::ranges::find(hooks, program.program, &Hook::name);
      if (hook == hooks.end()) continue;  // not needed beside another
      const bool on = hook->mode != "off";
      kernel_whole &= on;
      add(Group::kernel,
          on                                  ? State::good
          : program.program == "kernel_state" ? State::bad
                                              : State::less,
          hook->target, on ? std::string(program.lost) : hook->why);
    }
    checkup_.kernel_witness = !kernel ? State::bad : kernel_whole ? State::good : State::less;
    bool wire_whole = true;
    for (const Interface& interface : interfaces_) wire_whole &= add_interface(interface, hooks);
    checkup_.wire_witness = !wire ? State::bad : wire_whole ? State::good : State::less;
  }

  static std::string verifiers_words() {
    return newest_refusal().empty() ? "" : "the verifier's last words, for a report: " + newest_refusal();
  }

  // False: it should be watched, and is not in both directions.
  bool add_interface(const Interface& interface, const std::vector<Hook>& hooks) {
    if (const std::string why = passed_over(interface); !why.empty()) {
      add(Group::wire, State::good, interface.name, why);
      return true;
    }
    bool whole = true;
    std::string found;
    for (const std::string_view program : {"wire_ingress", "wire_egress"}) {
      const auto hook = std::ranges::find_if(
          hooks, [&](const Hook& one) { return one.name == program && one.target == interface.name; });
      const bool on = hook != hooks.end() && hook->mode != "off";
      whole &= on;
      found += fmt::format("{}{} {}", found.empty() ? "" : ", ", program == "wire_ingress" ? "in" : "out",
                           on ? hook->mode : "off");
      if (hook != hooks.end() && !hook->why.empty()) found += fmt::format(" ({})", hook->why);
    }
    add(Group::wire, whole ? State::good : State::bad, interface.name,
        fmt::format("{}; {}", found, xdp_slot(interface)));
    return whole;
  }

  // Without the right to attach: what the kernel's types show.
  void guess_hooks() {
    if (!check_btf(disabled_)) return;
    SwitchedOff off;
    check_tracepoints(disabled_, off);
    for (const KernelProgram& program : kernel_programs()) {
      if (program.program.ends_with("_again")) continue;  // of the same tracepoint
      const auto reason = off.find(std::string(program.program));
      const std::string name = fmt::format("{}:{}", program.group, program.tracepoint);
      if (reason == off.end()) {
        add(Group::kernel, State::unknown, name, fmt::format("{}: not tried, the kernel has it", program.lost));
      } else if (!reason->second.empty()) {
        add(Group::kernel, State::less, name, fmt::format("{}: not traced, {}", program.lost, reason->second));
      }
    }
    const std::string_view tc = knows_tcx(disabled_) ? "tcx" : "clsact, as the kernel does not know tcx";
    for (const Interface& interface : interfaces_) {
      const std::string why = passed_over(interface);
      if (!why.empty()) {
        add(Group::wire, State::good, interface.name, why);
        continue;
      }
      const IngressChoice choice = choose_ingress(interface, WireMode::automatic);
      add(Group::wire, State::unknown, interface.name,
          fmt::format("would get {} both ways ({}); not tried; {}", tc, choice.why, xdp_slot(interface)));
    }
    static_cast<void>(take_libbpf_log());
  }

  const std::vector<std::string>& names_;
  std::uint64_t ring_bytes_;
  const DisabledFeatures& disabled_;
  std::vector<Interface> interfaces_;
  Checkup checkup_;
};

}  // namespace

Result<Checkup> diagnose(const std::vector<std::string>& interfaces, std::uint64_t ring_bytes,
                         const DisabledFeatures& disabled) {
  return Diagnosis(interfaces, ring_bytes, disabled).go();
}

}  // namespace tcpwitness
