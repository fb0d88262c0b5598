// SPDX-License-Identifier: Apache-2.0
// empty_hooks.cpp: the floor that a tracer's cost is compared with: an empty program on each of its hooks.
//
//   tw_empty_hooks PID
//
// Looks at the BPF links of process PID and attaches a program that does nothing to the same places: tracepoints,
// fentry and fexit, tcx and XDP. A hook that PID uses twice gets one program. Prints a line "like PROGRAM_ID empty
// PROGRAM_ID" for each program of PID, then "ready", and stays until it is terminated. PID may end before that. Run it
// in PID's network namespace.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

namespace {

// From linux/bpf.h of 6.6; Debian 12's headers are of 6.1.
constexpr std::uint32_t link_type_tcx = 11;
constexpr int tcx_next = -1;
struct TcxInfo {
  std::uint32_t ifindex;
  std::uint32_t attach_type;
};

// Where a program is attached, in the terms of bpf(2).
struct Hook {
  bpf_prog_type type = BPF_PROG_TYPE_UNSPEC;
  std::uint32_t attach_type = 0;
  std::uint32_t ifindex = 0;
  std::uint32_t btf_id = 0;

  auto key() const { return std::tuple{type, attach_type, ifindex, btf_id}; }
};

std::set<std::uint32_t> link_ids(const std::string& pid) {
  std::set<std::uint32_t> ids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + pid + "/fdinfo")) {
    std::ifstream file(entry.path());
    for (std::string word; file >> word;) {
      std::uint32_t id = 0;
      if (word == "link_id:" && file >> id) ids.insert(id);
    }
  }
  return ids;
}

// The hook behind a link, or nothing for a kind that is called on demand only (iterators) or that is not known here.
std::optional<Hook> hook_of(const bpf_link_info& info, const std::string& tracepoint) {
  switch (info.type) {
    case BPF_LINK_TYPE_RAW_TRACEPOINT: {
      const int id = libbpf_find_vmlinux_btf_id(tracepoint.c_str(), BPF_TRACE_RAW_TP);
      if (id < 0) return std::nullopt;
      return Hook{
          .type = BPF_PROG_TYPE_TRACING, .attach_type = BPF_TRACE_RAW_TP, .btf_id = static_cast<std::uint32_t>(id)};
    }
    case BPF_LINK_TYPE_TRACING:
      if (info.tracing.attach_type != BPF_TRACE_FENTRY && info.tracing.attach_type != BPF_TRACE_FEXIT)
        return std::nullopt;
      return Hook{
          .type = BPF_PROG_TYPE_TRACING, .attach_type = info.tracing.attach_type, .btf_id = info.tracing.target_btf_id};
    case BPF_LINK_TYPE_XDP:
      return Hook{.type = BPF_PROG_TYPE_XDP, .attach_type = BPF_XDP, .ifindex = info.xdp.ifindex};
    case link_type_tcx: {
      TcxInfo tcx{};
      std::memcpy(&tcx, &info.raw_tracepoint, sizeof tcx);
      return Hook{.type = BPF_PROG_TYPE_SCHED_CLS, .attach_type = tcx.attach_type, .ifindex = tcx.ifindex};
    }
    default:
      return std::nullopt;
  }
}

int verdict(bpf_prog_type type) {
  if (type == BPF_PROG_TYPE_XDP) return XDP_PASS;
  return type == BPF_PROG_TYPE_SCHED_CLS ? tcx_next : 0;
}

// The descriptor of a loaded program that only returns, or -errno.
int load_empty(const Hook& hook) {
  std::array<bpf_insn, 2> code{};
  code[0].code = BPF_ALU64 | BPF_MOV | BPF_K;  // r0 = verdict
  code[0].imm = verdict(hook.type);
  code[1].code = BPF_JMP | BPF_EXIT;
  bpf_prog_load_opts options{};
  options.sz = sizeof options;
  if (hook.type == BPF_PROG_TYPE_TRACING) {
    options.expected_attach_type = static_cast<bpf_attach_type>(hook.attach_type);
    options.attach_btf_id = hook.btf_id;
  } else if (hook.type == BPF_PROG_TYPE_XDP) {
    options.expected_attach_type = BPF_XDP;
  }
  return bpf_prog_load(hook.type, "empty", "GPL", code.data(), code.size(), &options);
}

// The descriptor of the link, or -errno. Both stay open as long as the process lives.
int attach(const Hook& hook, int program) {
  if (hook.type == BPF_PROG_TYPE_TRACING) return bpf_raw_tracepoint_open(nullptr, program);
  bpf_link_create_opts options{};
  options.sz = sizeof options;
  if (hook.type == BPF_PROG_TYPE_XDP) options.flags = XDP_FLAGS_SKB_MODE;
  return bpf_link_create(program, static_cast<int>(hook.ifindex), static_cast<bpf_attach_type>(hook.attach_type),
                         &options);
}

std::uint32_t program_id(int program) {
  bpf_prog_info info{};
  std::uint32_t size = sizeof info;
  return bpf_obj_get_info_by_fd(program, &info, &size) == 0 ? info.id : 0;
}

int fail(const char* what, int error) {
  std::fprintf(stderr, "tw_empty_hooks: %s: %s\n", what, std::strerror(error));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint32_t pid = 0;
  const std::string_view text = argc == 2 ? argv[1] : "";
  if (std::from_chars(text.data(), text.data() + text.size(), pid).ec != std::errc{} || pid == 0) {
    std::fprintf(stderr, "usage: tw_empty_hooks PID\n");
    return 2;
  }
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  std::map<decltype(Hook{}.key()), std::uint32_t> empty;  // ids of programs
  for (const std::uint32_t id : link_ids(std::to_string(pid))) {
    const int link = bpf_link_get_fd_by_id(id);
    if (link < 0) return fail("open a link", errno);
    std::array<char, 128> name{};
    bpf_link_info info{};
    info.raw_tracepoint.tp_name = reinterpret_cast<std::uint64_t>(name.data());
    info.raw_tracepoint.tp_name_len = name.size();
    std::uint32_t size = sizeof info;
    const int asked = bpf_obj_get_info_by_fd(link, &info, &size);
    ::close(link);
    if (asked != 0) return fail("ask a link", errno);
    const auto hook = hook_of(info, name.data());
    if (!hook) {
      std::fprintf(stderr, "tw_empty_hooks: left out: a link of type %u\n", info.type);
      continue;
    }
    if (!empty.contains(hook->key())) {
      const int program = load_empty(*hook);
      if (program < 0) return fail("load an empty program", -program);
      if (const int attached = attach(*hook, program); attached < 0) return fail("attach an empty program", -attached);
      empty[hook->key()] = program_id(program);
    }
    std::printf("like %u empty %u\n", info.prog_id, empty[hook->key()]);
  }
  if (empty.empty()) return fail("this process has no hooks", ENOENT);
  std::printf("ready\n");
  std::fflush(stdout);
  ::pause();
  return 0;
}
