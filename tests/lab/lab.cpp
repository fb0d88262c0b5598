// SPDX-License-Identifier: Apache-2.0
//
// The topology as `ip` commands, loss as `nft` rules, and the kernel's socket table as the lab's own eyes.
// See lab.hpp for what always holds.

#include "lab/lab.hpp"

#include <arpa/inet.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "lab/child.hpp"

namespace tcpwitness::lab {
namespace {

constexpr const char* client_mac = "02:00:0a:63:00:01";
constexpr const char* server_mac = "02:00:0a:63:00:02";

// Numbers of include/net/tcp_states.h as /proc/net/tcp prints them. A request socket shows as SYN_RECV there.
constexpr std::array<const char*, 13> state_names = {
    "",      "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",   "TIME_WAIT",
    "CLOSE", "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "CLOSING",   "NEW_SYN_RECV"};

std::string sysctl_path(std::string name) {
  for (char& letter : name) letter = letter == '.' ? '/' : letter;
  return "/proc/sys/" + name;
}

// An address the way /proc/net/tcp (IPv4) and tcp6 (IPv6, and IPv4 in mapped form) print it.
std::string proc_form(const Endpoint& endpoint, bool in_tcp6) {
  in_addr v4{};
  if (::inet_pton(AF_INET, endpoint.ip.c_str(), &v4) == 1) {
    const char* prefix = in_tcp6 ? "0000000000000000FFFF0000" : "";
    return fmt::format("{}{:08X}:{:04X}", prefix, v4.s_addr, endpoint.port);
  }
  in6_addr v6{};
  ::inet_pton(AF_INET6, endpoint.ip.c_str(), &v6);
  return fmt::format("{:08X}{:08X}{:08X}{:08X}:{:04X}", v6.s6_addr32[0], v6.s6_addr32[1], v6.s6_addr32[2],
                     v6.s6_addr32[3], endpoint.port);
}

std::string state_in_table(const char* table, const std::string& local, const std::string& remote) {
  std::ifstream file(table);
  std::string row;
  while (std::getline(file, row)) {
    std::istringstream fields(row);
    std::string slot, row_local, row_remote, state;
    if (!(fields >> slot >> row_local >> row_remote >> state)) continue;
    if (row_local != local || row_remote != remote) continue;
    const size_t number = std::stoul(state, nullptr, 16);
    return number < state_names.size() ? state_names[number] : state;
  }
  return {};
}

// What one host needs, in the words of `ip -batch`.
std::string host_setup(const char* link, const char* ip, const char* ip6, const char* peer_mac,
                       std::initializer_list<const char*> peers) {
  std::string text = fmt::format(
      "link set lo up\n"
      "link set {0} addrgenmode none\n"
      "link set {0} up mtu 1500\n"
      "addr add {1}/24 dev {0}\n"
      "addr add {2}/64 dev {0} nodad\n",
      link, ip, ip6);
  for (const char* peer : peers)
    text += fmt::format("neigh replace {} lladdr {} dev {} nud permanent\n", peer, peer_mac, link);
  return text;
}

}  // namespace

Result<std::unique_ptr<Lab>> Lab::create() {
  remove_stale_namespaces();
  auto client = Namespace::create("client");
  if (!client) return failure("cannot make the client's namespace (root?): " + client.error());
  auto server = Namespace::create("server");
  if (!server) return failure("cannot make the server's namespace: " + server.error());
  std::unique_ptr<Lab> lab(new Lab(std::move(*client), std::move(*server)));
  if (auto done = lab->connect_hosts(); !done) return failure(done.error());
  return lab;
}

Lab::~Lab() {
  // Sockets without a process hold their namespace until they give up. Whatever is left shall do so within a second.
  for (const Side side : {Side::client, Side::server}) {
    if (auto done = set_sysctl(side, "net.ipv4.tcp_orphan_retries", "1"); !done) {
      fmt::print(stderr, "lab: {}\n", done.error());
    }
  }
}

Result<void> Lab::connect_hosts() {
  const std::string pair =
      fmt::format("link add {} address {} netns {} type veth peer name {} address {} netns {}\n", client_link,
                  client_mac, client_.name(), server_link, server_mac, server_.name());
  if (auto done = run_tool({"ip", "-batch", "-"}, pair); !done) return failure(done.error());
  return set_up_hosts();
}

Result<void> Lab::set_up_hosts() {
  const std::string client =
      host_setup(client_link, client_ip, client_ip6, server_mac, {server_ip, scripted_server_ip, server_ip6});
  const std::string server =
      host_setup(server_link, server_ip, server_ip6, client_mac, {client_ip, scripted_client_ip, client_ip6});
  if (auto done = run_tool({"ip", "-n", client_.name(), "-batch", "-"}, client); !done) return failure(done.error());
  if (auto done = run_tool({"ip", "-n", server_.name(), "-batch", "-"}, server); !done) return failure(done.error());
  return {};
}

Result<void> Lab::route_through_third_machine() {
  auto third = Namespace::create("third");
  if (!third) return failure("cannot make the third machine's namespace: " + third.error());
  // Towards each host it bears the other's hardware address, so that the hosts' static neighbours stay right.
  const std::string pairs = fmt::format(
      "link add {0} address {2} netns {1} type veth peer name {6} address {5} netns {8}\n"
      "link add {3} address {5} netns {4} type veth peer name {7} address {2} netns {8}\n",
      client_link, client_.name(), client_mac, server_link, server_.name(), server_mac, third_link_to_client,
      third_link_to_server, third->name());
  if (auto done = run_tool({"ip", "-n", client_.name(), "link", "del", client_link}); !done)
    return failure(done.error());
  if (auto done = run_tool({"ip", "-batch", "-"}, pairs); !done) return failure(done.error());
  std::string routes;
  const auto beyond = [&](const char* link, const char* mac, std::initializer_list<const char*> addresses) {
    routes += fmt::format("link set {0} addrgenmode none\nlink set {0} up\n", link);
    for (const char* address : addresses) {
      routes += fmt::format("route add {0} dev {1}\nneigh replace {0} lladdr {2} dev {1} nud permanent\n", address,
                            link, mac);
    }
  };
  beyond(third_link_to_client, client_mac, {client_ip, scripted_client_ip, client_ip6});
  beyond(third_link_to_server, server_mac, {server_ip, scripted_server_ip, server_ip6});
  if (auto done = run_tool({"ip", "-n", third->name(), "-batch", "-"}, routes); !done) return failure(done.error());
  auto forwards = third->inside([]() -> Result<void> {
    for (const char* path : {"/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"}) {
      std::ofstream out(path);
      if (!(out << 1 << std::flush)) return failure(fmt::format("cannot write {}", path));
    }
    return {};
  });
  if (!forwards) return forwards;
  third_.emplace(std::move(*third));
  return set_up_hosts();
}

Result<void> Lab::refuse_on_third_machine(const std::string& type) {
  if (!third_) return failure("there is no third machine");
  const std::string address = fmt::format("link set lo up\naddr add {}/32 dev lo\n", third_ip);
  if (auto done = run_tool({"ip", "-n", third_->name(), "-batch", "-"}, address); !done) return failure(done.error());
  return third_->inside([&]() -> Result<void> {
    auto done = run_tool({"nft", "-f", "-"},
                         fmt::format("add table inet lab\n"
                                     "add chain inet lab forward {{ type filter hook forward priority 0; }}\n"
                                     "add rule inet lab forward tcp dport {} reject with icmpx type {}\n",
                                     service_port, type));
    return done ? Result<void>{} : failure(done.error());
  });
}

Result<void> Lab::add_second_cable() {
  const std::string pair =
      fmt::format("link add {} address {} netns {} type veth peer name {} address {} netns {}\n", second_client_link,
                  client_mac, client_.name(), second_server_link, server_mac, server_.name());
  if (auto done = run_tool({"ip", "-batch", "-"}, pair); !done) return failure(done.error());
  second_cable_ = true;
  for (const auto& [host, link] : {std::pair{&client_, second_client_link}, {&server_, second_server_link}}) {
    const std::string setup = fmt::format("link set {0} addrgenmode none\nlink set {0} up mtu 1500\n", link);
    if (auto done = run_tool({"ip", "-n", host->name(), "-batch", "-"}, setup); !done) return failure(done.error());
  }
  auto neighbour = run_tool({"ip", "-n", client_.name(), "neigh", "replace", server_ip, "lladdr", server_mac, "dev",
                             second_client_link, "nud", "permanent"});
  return neighbour ? Result<void>{} : failure(neighbour.error());
}

Result<void> Lab::route_over_second_cable(bool on) {
  auto done = run_tool({"ip", "-n", client_.name(), "route", on ? "replace" : "del", fmt::format("{}/32", server_ip),
                        "dev", second_client_link, "src", client_ip});
  return done ? Result<void>{} : failure(done.error());
}

Result<void> Lab::set_queue(Side side, const std::string& words) {
  const char* link = side == Side::client ? client_link : server_link;
  std::vector<std::string> argv = {"tc", "-n",  host(side).name(), "qdisc", words.empty() ? "del" : "replace", "dev",
                                   link, "root"};
  std::istringstream rest(words);
  for (std::string word; rest >> word;) argv.push_back(word);
  if (auto done = run_tool(argv); !done) return failure(done.error());
  std::erase(queued_, side);
  if (!words.empty()) queued_.push_back(side);
  return {};
}

Result<void> Lab::nft(Side side, const std::string& commands) const {
  return host(side).inside([&]() -> Result<void> {
    auto done = run_tool({"nft", "-f", "-"}, commands);
    return done ? Result<void>{} : failure(done.error());
  });
}

Result<void> Lab::add_rule(Side side, Hook hook, const std::string& match, const char* verdict) {
  const char* chain = hook == Hook::input ? "input" : "output";
  const bool to_server = (side == Side::client) == (hook == Hook::output);
  return nft(side, fmt::format("add table inet lab\n"
                               "add chain inet lab {0} {{ type filter hook {0} priority 0; }}\n"
                               "add rule inet lab {0} tcp {1} {2} {3} counter {4}\n",
                               chain, to_server ? "dport" : "sport", service_port, match, verdict));
}

Result<void> Lab::drop(Side side, Hook hook, const std::string& match) { return add_rule(side, hook, match, "drop"); }

Result<void> Lab::reject(Side side, Hook hook, const std::string& match, Refusal refusal) {
  return add_rule(side, hook, match, refusal == Refusal::tcp_reset ? "reject with tcp reset" : "reject");
}

Result<void> Lab::drop_once(Side side, Hook hook, const std::string& match) {
  return drop(side, hook, match + " limit rate 1/hour burst 1 packets");
}

Result<int> Lab::dropped(Side side) const {
  std::string listing;
  auto done = host(side).inside([&]() -> Result<void> {
    auto out = run_tool({"nft", "list", "table", "inet", "lab"});
    if (!out) return failure(out.error());
    listing = std::move(*out);
    return {};
  });
  if (!done) return failure(done.error());
  int total = 0;
  constexpr std::string_view word = "counter packets ";
  for (size_t at = listing.find(word); at != std::string::npos; at = listing.find(word, at + 1)) {
    total += std::atoi(listing.c_str() + at + word.size());
  }
  return total;
}

Result<void> Lab::remove_rules(Side side) {
  // "add" first: deleting a table that is not there is an error, and this must be callable at any time.
  return nft(side, "add table inet lab\ndelete table inet lab\n");
}

Result<void> Lab::set_sysctl(Side side, const std::string& name, const std::string& value, bool required) {
  return host(side).inside([&]() -> Result<void> {
    const std::string path = sysctl_path(name);
    if (!required && !std::filesystem::exists(path)) return {};
    std::string before;
    if (std::ifstream in(path); !std::getline(in, before)) return failure(fmt::format("cannot read {}", path));
    std::ofstream out(path);
    if (!(out << value << std::flush)) return failure(fmt::format("cannot write {} to {}", value, path));
    changed_.push_back({side, name, before});
    return {};
  });
}

Result<std::string> Lab::socket_state(Side side, const Endpoint& local, const Endpoint& remote) const {
  std::string state;
  auto done = host(side).inside([&]() -> Result<void> {
    // thread-self: /proc/net follows the process's first thread, which never left its own namespace.
    state = state_in_table("/proc/thread-self/net/tcp", proc_form(local, false), proc_form(remote, false));
    if (state.empty())
      state = state_in_table("/proc/thread-self/net/tcp6", proc_form(local, true), proc_form(remote, true));
    return {};
  });
  if (!done) return failure(done.error());
  return state;
}

Result<Lab::Counters> Lab::counters(Side side) const {
  Counters counters;
  auto done = host(side).inside([&]() -> Result<void> {
    std::ifstream file("/proc/thread-self/net/netstat");
    std::string names, values;
    // Lines come in pairs: "TcpExt: NAME NAME ...", "TcpExt: VALUE VALUE ...".
    while (std::getline(file, names) && std::getline(file, values)) {
      if (!names.starts_with("TcpExt:")) continue;
      std::istringstream name_words(names), value_words(values);
      std::string name, value;
      name_words >> name;
      value_words >> value;
      while (name_words >> name && value_words >> value) counters[name] = std::stoll(value);
    }
    return counters.empty() ? failure("cannot read /proc/net/netstat") : Result<void>{};
  });
  if (!done) return failure(done.error());
  return counters;
}

void Lab::reset() {
  for (const Side side : {Side::client, Side::server}) {
    if (auto done = remove_rules(side); !done) fmt::print(stderr, "lab: {}\n", done.error());
  }
  for (const Side side : std::exchange(queued_, {})) {
    if (auto done = set_queue(side, ""); !done) fmt::print(stderr, "lab: {}\n", done.error());
  }
  if (std::exchange(second_cable_, false)) {
    if (auto done = run_tool({"ip", "-n", client_.name(), "link", "del", second_client_link}); !done)
      fmt::print(stderr, "lab: {}\n", done.error());
  }
  if (third_) {
    // A namespace takes a while to go, and its cables with it: by hand, and now.
    for (const Side side : {Side::client, Side::server}) {
      const char* link = side == Side::client ? client_link : server_link;
      if (auto done = run_tool({"ip", "-n", host(side).name(), "link", "del", link}); !done)
        fmt::print(stderr, "lab: {}\n", done.error());
    }
    third_.reset();
    if (auto done = connect_hosts(); !done) fmt::print(stderr, "lab: {}\n", done.error());
  }
  const std::vector<Sysctl> changed = std::exchange(changed_, {});
  for (auto it = changed.rbegin(); it != changed.rend(); ++it) {
    if (auto done = set_sysctl(it->side, it->name, it->value); !done) fmt::print(stderr, "lab: {}\n", done.error());
  }
  changed_.clear();
}

}  // namespace tcpwitness::lab
