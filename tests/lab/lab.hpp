// SPDX-License-Identifier: Apache-2.0
//
// Two hosts and the cable between them: namespaces tw-<pid>-client and tw-<pid>-server joined by a veth pair,
// with fixed addresses, static neighbours (no ARP or ND among the segments) and lo up. Each also routes one
// address nobody owns to the other side, where a ScriptedHost may answer for it. All is gone when the object
// dies, and no traffic can leave: neither namespace has another interface or a default route.
//
// To keep what a witness sees pure, lose segments in the namespace that is not watched: at the receiver's input
// if the sender is, at the sender's output if the receiver is.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/namespace.hpp"
#include "lab/played.hpp"
#include "lab/result.hpp"

namespace tcpwitness::lab {

inline constexpr const char* client_ip = "10.99.0.1";
inline constexpr const char* server_ip = "10.99.0.2";
inline constexpr const char* client_ip6 = "fd00:99::1";
inline constexpr const char* server_ip6 = "fd00:99::2";
inline constexpr const char* scripted_client_ip = "10.99.0.11";  // reached through the client's namespace
inline constexpr const char* scripted_server_ip = "10.99.0.12";  // reached through the server's namespace
inline constexpr const char* client_link = "veth-client";
inline constexpr const char* server_link = "veth-server";
inline constexpr const char* second_client_link = "veth-client-2";
inline constexpr const char* second_server_link = "veth-server-2";
// The third machine's two ends.
inline constexpr const char* third_link_to_client = "veth-to-client";
inline constexpr const char* third_link_to_server = "veth-to-server";
inline constexpr const char* third_ip = "10.99.0.254";

inline constexpr uint16_t service_port = 8080;
inline constexpr uint16_t closed_port = 8081;

enum class Hook { input, output };
// What a firewall sends back when it refuses a segment.
enum class Refusal { tcp_reset, icmp };

class Lab {
 public:
  // Needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN) and the programs ip and nft.
  static Result<std::unique_ptr<Lab>> create();
  ~Lab();

  const std::string& client_ns() const { return client_.name(); }
  const std::string& server_ns() const { return server_.name(); }
  const Namespace& host(Side side) const { return side == Side::client ? client_ : server_; }

  // Adds an nftables rule that drops what `match` selects ("" is all) of the traffic with the service: whatever else
  // goes over the cable is left alone.
  Result<void> drop(Side side, Hook hook, const std::string& match);
  // The same for the first segment that matches only.
  Result<void> drop_once(Side side, Hook hook, const std::string& match);
  // The same, but the sender is reported.
  Result<void> reject(Side side, Hook hook, const std::string& match, Refusal refusal);
  Result<int> dropped(Side side) const;  // by all rules that are there now
  Result<void> remove_rules(Side side);

  // The queue before the host's end of the cable, in tc's words ("bfifo limit 1"); "" is none, as at first.
  Result<void> set_queue(Side side, const std::string& words);

  // From here on the cable has a third machine in its middle: a namespace of its own that routes (so a TTL is one
  // less at the other end). The connections that exist do not survive it.
  Result<void> route_through_third_machine();
  // It refuses what goes to the service, with an ICMP message of its own (`type` as nft writes it: "admin-prohibited").
  Result<void> refuse_on_third_machine(const std::string& type);
  // Null without one.
  const Namespace* third_machine() const { return third_ ? &*third_ : nullptr; }

  // Another veth pair between the hosts, which carries what the client sends to the server while it is reported to.
  Result<void> add_second_cable();
  Result<void> route_over_second_cable(bool on);

  // name as in "net.ipv4.tcp_syn_retries"; restored by reset(). One that this kernel does not have is passed over
  // unless it is required.
  Result<void> set_sysctl(Side side, const std::string& name, const std::string& value, bool required = true);
  // The kernel's name for the state of a socket with these ends ("" if there is none).
  Result<std::string> socket_state(Side side, const Endpoint& local, const Endpoint& remote) const;

  // The TCP counters of /proc/net/netstat ("TCPLossProbes", "TCPKeepAlive", ...), by their names there.
  using Counters = std::map<std::string, int64_t>;
  Result<Counters> counters(Side side) const;

  // Rules, queues, cable and sysctls as they were: between two cases in one lab.
  void reset();

 private:
  struct Sysctl {
    Side side;
    std::string name;
    std::string value;
  };

  Lab(Namespace client, Namespace server) : client_(std::move(client)), server_(std::move(server)) {}
  Result<void> connect_hosts();
  Result<void> set_up_hosts();
  Result<void> nft(Side side, const std::string& commands) const;
  Result<void> add_rule(Side side, Hook hook, const std::string& match, const char* verdict);

  Namespace client_;
  Namespace server_;
  std::optional<Namespace> third_;
  bool second_cable_ = false;
  std::vector<Side> queued_;
  std::vector<Sysctl> changed_;
};

}  // namespace tcpwitness::lab
