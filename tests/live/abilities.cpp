// SPDX-License-Identifier: Apache-2.0
//
// See abilities.hpp.

#include "live/abilities.hpp"

#include <bpf/btf.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "lab/unique_fd.hpp"
#include "live/printed.hpp"
#include "live/tracer_run.hpp"

namespace tcpwitness::live {
namespace {

std::string all_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool write_to(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

// One tracepoint of the kernel, read through an instance of tracefs that is ours alone, as is the mount.
class Tracepoint {
 public:
  explicit Tracepoint(std::string_view event)
      : mount_(std::filesystem::temp_directory_path() / fmt::format("tw-tracing-{}", ::getpid())),
        place_(mount_ / "instances" / fmt::format("tw-live-{}", ::getpid())) {
    mounted_ = ::mkdir(mount_.c_str(), 0700) == 0 && ::mount("tracefs", mount_.c_str(), "tracefs", 0, nullptr) == 0;
    on_ = mounted_ && ::mkdir(place_.c_str(), 0700) == 0 && write_to(place_ / "events" / event / "enable", "1");
  }
  ~Tracepoint() {
    if (mounted_) {
      ::rmdir(place_.c_str());
      ::umount2(mount_.c_str(), MNT_DETACH);
    }
    ::rmdir(mount_.c_str());
  }
  Tracepoint(const Tracepoint&) = delete;
  Tracepoint& operator=(const Tracepoint&) = delete;
  bool on() const { return on_; }
  std::string seen() const { return all_of(place_ / "trace"); }

 private:
  std::filesystem::path mount_;
  std::filesystem::path place_;
  bool mounted_ = false;
  bool on_ = false;
};

// A connection over loopback; the client's port, 0 where it failed.
uint16_t connect_once() {
  const lab::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const lab::UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  socklen_t length = sizeof address;
  if (::bind(listener.get(), any, length) != 0 || ::listen(listener.get(), 1) != 0) return 0;
  ::getsockname(listener.get(), any, &length);
  if (::connect(client.get(), any, length) != 0) return 0;
  ::getsockname(client.get(), any, &length);
  return ntohs(address.sin_port);
}

// The peer's port in the line of its SYN_RECV. What cannot be asked is taken as the newest kernels have it.
bool ask_new_connection() {
  const Tracepoint states("sock/inet_sock_set_state");
  if (!states.on()) return true;
  const uint16_t port = connect_once();
  const std::string seen = states.seen();
  const auto line = seen.find("newstate=TCP_SYN_RECV");
  if (port == 0 || line == std::string::npos) return true;
  const std::string text = seen.substr(seen.rfind('\n', line) + 1, line - seen.rfind('\n', line));
  return text.find(fmt::format("dport={} ", port)) != std::string::npos;
}

// Only where both are refused; one alone is a live test's own business.
std::string ask_doctor() {
  const Ended ended = run_to_end({"doctor", "-i", "lo", "-o", "json"}, {}, std::chrono::seconds(60));
  const Json checkup = Json::parse(ended.out, nullptr, false);
  if (!checkup.is_object()) return "";
  if (checkup.value("kernel_witness", "") != "bad" || checkup.value("wire_witness", "") != "bad") return "";
  for (const Json& check : checkup["checks"]) {
    if (check["state"] == "bad") return check["found"];
  }
  return "";
}

}  // namespace

bool kernel_has_type(const std::string& word) {
  static const std::string types = all_of("/sys/kernel/btf/vmlinux");
  return types.find('\0' + word + '\0') != std::string::npos;
}

size_t tracepoint_arguments(const std::string& name) {
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), btf__free);
  const int id = types ? btf__find_by_name_kind(types.get(), ("btf_trace_" + name).c_str(), BTF_KIND_TYPEDEF) : -1;
  if (id < 0) return 0;
  // typedef -> pointer -> prototype, whose first parameter is void *__data.
  const btf_type* type = btf__type_by_id(types.get(), static_cast<__u32>(id));
  type = btf__type_by_id(types.get(), type->type);
  if (type != nullptr) type = btf__type_by_id(types.get(), type->type);
  return type != nullptr && btf_is_func_proto(type) && btf_vlen(type) > 0 ? btf_vlen(type) - 1U : 0;
}

bool has_tcx() { return kernel_has_type("BPF_TCX_INGRESS"); }

bool has_reset_reasons() { return kernel_has_type("sk_rst_reason"); }

bool reports_failed_retransmissions() { return tracepoint_arguments("tcp_retransmit_skb") >= 3; }

// 6.10 gave it a reason and called it for each (commit 19822a980e19).
bool reports_every_reset() { return tracepoint_arguments("tcp_send_reset") >= 3; }

bool new_connection_has_its_peer() {
  static const bool answer = ask_new_connection();
  return answer;
}

bool sees_send() { return tracepoint_arguments("sock_send_length") > 0; }

const std::string& missing_witness() {
  static const std::string why = ask_doctor();
  return why;
}

}  // namespace tcpwitness::live
