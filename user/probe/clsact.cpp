// SPDX-License-Identifier: Apache-2.0
#include "probe/clsact.hpp"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "probe/log.hpp"
#include "probe/netlink.hpp"

namespace tcpwitness {
namespace {

constexpr std::uint32_t first_handle = 0x7477;     // "tw"
constexpr std::uint32_t places = 16;               // runs in one network namespace
constexpr std::uint32_t filter_priority = 0x7477;  // after anything that a person would number by hand

struct Filter {
  std::uint32_t ifindex;
  std::uint8_t egress;
  std::uint8_t created_qdisc;
  std::uint16_t place;
};

Filter filter_at(std::uint32_t ifindex, bool egress, std::uint16_t place) {
  return {.ifindex = ifindex, .egress = static_cast<std::uint8_t>(egress ? 1 : 0), .created_qdisc = 0, .place = place};
}

bpf_tc_hook hook_of(const Filter& filter) {
  bpf_tc_hook hook{};
  hook.sz = sizeof(hook);
  hook.ifindex = static_cast<int>(filter.ifindex);
  hook.attach_point = filter.egress != 0 ? BPF_TC_EGRESS : BPF_TC_INGRESS;
  return hook;
}

bpf_tc_opts at_place(std::uint32_t place) {
  bpf_tc_opts which{};
  which.sz = sizeof(which);
  which.handle = first_handle + place;
  which.priority = filter_priority;
  return which;
}

void remove_filter(const Filter& filter) {
  const bpf_tc_hook hook = hook_of(filter);
  const bpf_tc_opts which = at_place(filter.place);
  bpf_tc_detach(&hook, &which);
}

// What hangs below `parent` of the interface. False where the kernel gave no answer.
bool ask(int type, int flags, std::uint32_t ifindex, std::uint32_t parent, nl_recvmsg_msg_cb_t note, void* context) {
  const auto socket = open_netlink(NETLINK_ROUTE);
  if (!socket) return false;
  tcmsg where{};
  where.tcm_family = AF_UNSPEC;
  where.tcm_ifindex = static_cast<int>(ifindex);
  where.tcm_parent = parent;
  return ask_netlink(socket->get(), type, flags, std::as_bytes(std::span(&where, 1)), note, context) == 0;
}

// Somebody has a filter on this side: another run, or a program that came after us. Also where the kernel does not show
// it.
bool in_use(std::uint32_t ifindex, bool egress) {
  bool found = false;
  const auto note = [](nl_msg* answer, void* seen) {
    if (nlmsg_hdr(answer)->nlmsg_type == RTM_NEWTFILTER) *static_cast<bool*>(seen) = true;
    return static_cast<int>(NL_OK);
  };
  const std::uint32_t side = TC_H_MAKE(TC_H_CLSACT, egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
  return !ask(RTM_GETTFILTER, NLM_F_DUMP, ifindex, side, note, &found) || found;
}

// What stands where a clsact qdisc has its place: "clsact", or the older "ingress"; "" where the kernel does not show
// it.
std::string qdisc_kind(std::uint32_t ifindex) {
  std::string kind;
  const auto note = [](nl_msg* answer, void* name) {
    nlmsghdr* const header = nlmsg_hdr(answer);
    const nlattr* found =
        header->nlmsg_type == RTM_NEWQDISC ? nlmsg_find_attr(header, sizeof(tcmsg), TCA_KIND) : nullptr;
    if (found != nullptr) *static_cast<std::string*>(name) = nla_get_string(found);
    return static_cast<int>(NL_OK);
  };
  return ask(RTM_GETQDISC, NLM_F_ACK | NLM_F_ECHO, ifindex, TC_H_CLSACT, note, &kind) ? kind : "";
}

// Only the qdisc that we created goes, and not where somebody has a filter in it: it would go too.
void remove_qdisc(const Filter& filter) {
  if (in_use(filter.ifindex, false) || in_use(filter.ifindex, true)) return;
  bpf_tc_hook hook = hook_of(filter);
  hook.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
  bpf_tc_hook_destroy(&hook);
}

// A place belongs to who has its name in this network namespace: the run and its guard, until both are gone. What is
// found there then was left behind. Where no name can be had it is the first place.
std::uint16_t take_place(UniqueFd& name) {
  for (std::uint16_t place = 0; place < places; ++place) {
    name = UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!name.valid()) return 0;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string text = clsact_guard_name + std::string("-") + std::to_string(place);
    std::memcpy(static_cast<char*>(address.sun_path) + 1, text.data(), text.size());  // abstract
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
    if (bind(name.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) return place;
    if (errno != EADDRINUSE) return 0;
  }
  return 0;
}

[[noreturn]] void guard(int pipe_end, int name) {
  setsid();
  prctl(PR_SET_NAME, clsact_guard_name);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) std::signal(number, SIG_IGN);
  libbpf_set_print(nullptr);
  // Nothing of the tracer's may live on here: its BPF links are file descriptors.
  const auto [low, high] = std::minmax(pipe_end, name);
  if (low > 0) close_range(0, static_cast<unsigned>(low) - 1, 0);
  if (high > low + 1 && low >= 0) close_range(static_cast<unsigned>(low) + 1, static_cast<unsigned>(high) - 1, 0);
  close_range(static_cast<unsigned>(high) + 1, ~0U, 0);
  std::vector<Filter> filters;
  Filter filter{};
  for (;;) {
    const ssize_t got = read(pipe_end, &filter, sizeof(filter));
    if (got < 0 && errno == EINTR) continue;
    if (got != static_cast<ssize_t>(sizeof(filter))) break;
    filters.push_back(filter);
  }
  for (const auto& one : filters) remove_filter(one);
  for (const auto& one : filters) {
    if (one.created_qdisc != 0) remove_qdisc(one);
  }
  _exit(0);
}

}  // namespace

bool has_our_filter(std::uint32_t ifindex, bool egress) {
  const bpf_tc_hook hook = hook_of(filter_at(ifindex, egress, 0));
  for (std::uint32_t place = 0; place < places; ++place) {
    bpf_tc_opts which = at_place(place);
    if (bpf_tc_query(&hook, &which) == 0) return true;
  }
  return false;
}

Result<std::unique_ptr<ClsactGuard>> ClsactGuard::start() {
  int ends[2];
  if (pipe2(static_cast<int*>(ends), O_CLOEXEC) != 0) return failure("start the tc guard", std::strerror(errno));
  UniqueFd name;
  const std::uint16_t place = take_place(name);
  const pid_t child = fork();
  if (child < 0) return failure("start the tc guard", std::strerror(errno));
  if (child == 0) {
    close(ends[1]);
    guard(ends[0], name.get());
  }
  close(ends[0]);
  return std::unique_ptr<ClsactGuard>(new ClsactGuard(ends[1], child, std::move(name), place));
}

ClsactGuard::~ClsactGuard() { detach(); }

void ClsactGuard::detach() {
  if (pipe_fd_ < 0) return;
  close(pipe_fd_);
  pipe_fd_ = -1;
  while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
  name_ = UniqueFd();
}

Result<void> ClsactGuard::attach(std::uint32_t ifindex, const std::string& name, bool egress, int program_fd) {
  Filter filter = filter_at(ifindex, egress, place_);
  bpf_tc_hook hook = hook_of(filter);
  const int created = bpf_tc_hook_create(&hook);
  if (created != 0 && created != -EEXIST) return failure("add the clsact qdisc to " + name, std::strerror(-created));
  filter.created_qdisc = created == 0 ? 1 : 0;
  // It has one side only: what is added there for egress runs for what arrives.
  if (created == -EEXIST && qdisc_kind(ifindex) == "ingress") {
    return failure(std::string("add the tc ") + (egress ? "egress" : "ingress") + " filter to " + name,
                   "it has an ingress qdisc, which has no egress side; a clsact qdisc would have both");
  }
  // The guard has it first: a death between the two lines must not leave the filter.
  if (write(pipe_fd_, &filter, sizeof(filter)) != static_cast<ssize_t>(sizeof(filter)))
    return failure("send the tc guard the filter of " + name, std::strerror(errno));
  bpf_tc_opts program = at_place(place_);
  program.prog_fd = program_fd;
  program.flags = BPF_TC_F_REPLACE;
  if (const int error = bpf_tc_attach(&hook, &program); error != 0)
    return failure(std::string("add the tc ") + (egress ? "egress" : "ingress") + " filter to " + name,
                   std::strerror(-error));
  return {};
}

bool ClsactGuard::has(std::uint32_t ifindex, bool egress) const {
  const bpf_tc_hook hook = hook_of(filter_at(ifindex, egress, place_));
  bpf_tc_opts which = at_place(place_);
  const int error = bpf_tc_query(&hook, &which);
  static_cast<void>(take_libbpf_log());  // where it is not
  return error != -ENOENT && error != -EINVAL;
}

void ClsactGuard::remove(std::uint32_t ifindex, bool egress) const {
  remove_filter(filter_at(ifindex, egress, place_));
}

}  // namespace tcpwitness
