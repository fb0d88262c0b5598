// SPDX-License-Identifier: Apache-2.0
#include "probe/processes.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <string>

#include "probe/process_status.hpp"
#include "probe/skeleton.hpp"
#include "processes.skel.h"
#include "values/number.hpp"

namespace tcpwitness {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Parents by child.
std::map<std::uint32_t, std::uint32_t> parents() {
  std::map<std::uint32_t, std::uint32_t> found;
  const std::unique_ptr<DIR, CloseDirectory> proc(::opendir("/proc"));
  while (proc) {
    const dirent* entry = ::readdir(proc.get());
    if (entry == nullptr) break;
    const auto pid = number_in<std::uint32_t>(entry->d_name);
    if (!pid) continue;
    if (const auto parent = process_status(*pid, "PPid:")) found.emplace(*pid, *parent);
  }
  return found;
}

}  // namespace

bool there_is_proc() { return ::access("/proc/self/ns/pid", F_OK) == 0; }

// Its root is the initial namespace's where this process or process 1 is in that one. The number is fixed
// (PROC_PID_INIT_INO; in linux/nsfs.h since 6.18).
bool proc_is_of_initial_namespace() {
  constexpr ino_t initial = 0xEFFFFFFC;
  for (const char* const path : {"/proc/self/ns/pid", "/proc/1/ns/pid"}) {
    struct stat found{};
    if (::stat(path, &found) == 0 && found.st_ino == initial) return true;
  }
  return false;
}

struct Processes::Impl {
  SkeletonPtr<processes_bpf> skeleton;

  [[nodiscard]] int map() const { return bpf_map__fd(skeleton->maps.followed); }
  void follow(std::uint32_t pid) const {
    const std::uint8_t yes = 1;
    bpf_map_update_elem(map(), &pid, &yes, BPF_ANY);
  }
  // Those that it has already. One that a child makes meanwhile is found at the next look.
  void follow_all(std::uint32_t root) const {
    follow(root);
    std::set<std::uint32_t> known{root};
    for (std::size_t before = 0; before != known.size();) {
      before = known.size();
      const auto all = parents();
      for (bool more = true; more;) {
        more = false;
        for (const auto& [pid, parent] : all) {
          if (known.contains(parent) && known.insert(pid).second) more = true;
        }
      }
      for (const std::uint32_t pid : known) follow(pid);
    }
  }
};

Processes::Processes() : impl_(std::make_unique<Impl>()) {}
Processes::~Processes() = default;

Result<std::unique_ptr<Processes>> Processes::attach(const ProcessesSettings& settings) {
  struct stat own{};
  if (settings.own_children && ::stat("/proc/self/ns/pid", &own) != 0)
    return failure("follow a command", "/proc is not mounted", "mount it");
  SwitchedOff off;
  const bool tree = settings.own_children || settings.pid != 0;
  if (!tree) off["process_fork"] = "not asked for";
  if (!settings.users) off["process_exit"] = "not asked for";
  auto skeleton = load_skeleton<processes_bpf>("processes", off, [&](processes_bpf& opened) {
    if (!settings.own_children) return;
    opened.rodata->parent_ns_dev = own.st_dev;
    opened.rodata->parent_ns_ino = own.st_ino;
    opened.rodata->parent_pid = static_cast<std::uint32_t>(::getpid());
  });
  if (!skeleton) return std::unexpected(skeleton.error());
  for (const char* needed : {"process_fork", "process_exit"}) {
    const auto why = off.find(needed);
    if (why != off.end() && why->second != "not asked for") return failure("follow processes", why->second);
  }
  if (processes_bpf::attach(skeleton->get()) != 0)
    return failure("attach to sched_process_fork and sched_process_exit", std::strerror(errno));
  std::unique_ptr<Processes> processes(new Processes());
  processes->impl_->skeleton = std::move(*skeleton);
  if (settings.pid != 0) processes->impl_->follow_all(settings.pid);
  return processes;
}

bool Processes::follows(std::uint32_t pid) const {
  std::uint8_t value = 0;
  return bpf_map_lookup_elem(impl_->map(), &pid, &value) == 0;
}

// First whoever lives: its number may have been another one's. Asked when a connection gets its owner, which then
// lives, or has ended just now.
std::optional<std::uint32_t> Processes::user_of(std::uint32_t pid) const {
  if (const auto user = process_status(pid, "Uid:")) return user;
  std::uint32_t user = 0;
  if (bpf_map_lookup_elem(bpf_map__fd(impl_->skeleton->maps.ended), &pid, &user) == 0) return user;
  return std::nullopt;
}

}  // namespace tcpwitness
