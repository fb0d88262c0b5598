// SPDX-License-Identifier: Apache-2.0
//
// What a case is written in: two actors, the cable between them, and the words for what happens to it. Everything
// here is sticky: after the first failure nothing more is done, and Performance hands that failure out.
//
// await_state() asks the kernel's own socket table, so a case that claims "the client is in CLOSING" has been there.

#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "lab/actor.hpp"
#include "lab/lab.hpp"
#include "lab/outsider.hpp"
#include "lab/scripted_host.hpp"

namespace tcpwitness::lab {

using Clock = std::chrono::steady_clock;

inline int64_t milliseconds_since(Clock::time_point start) {
  return std::chrono::duration_cast<Millis>(Clock::now() - start).count();
}

// What drop() and reject() match, in nft's words.
inline constexpr const char* syn = "tcp flags & (syn|ack) == syn";
inline constexpr const char* syn_ack = "tcp flags & (syn|ack) == (syn|ack)";
inline constexpr const char* data_segment = "tcp flags & psh == psh";

struct PlayOptions {
  Millis hold{3000};                  // how long "too long" lasts (close-wait-stuck, zero-window)
  uint64_t bulk_bytes = 64ull << 20;  // bulk
};

// Descriptors in the actors' processes.
struct Connection {
  int listener = -1;
  int client = -1;
  int server = -1;
};

class Script {
 public:
  static Result<std::unique_ptr<Script>> create(Lab& lab, PlayOptions options);

  Actor& client() { return *client_; }
  Actor& server() { return *server_; }
  Actor& actor(Side side) { return side == Side::client ? *client_ : *server_; }
  const PlayOptions& options() const { return options_; }
  const Failure& failure() const { return failure_; }
  Played played;
  Connection connection;  // of the case being played: what `before` leaves for `play`

  // Opening and talking.
  int listen(const Endpoint& at = {server_ip, service_port}, int backlog = 16);
  int client_socket(const Endpoint& to);
  // Has the client connect `client_fd` to the listener and the server accept it; remembers both ends.
  void meet(int listener, int client_fd, const Endpoint& to);
  // All of the above.
  void establish(const Endpoint& at = {server_ip, service_port});
  void client_sends(std::string_view text);  // and the server reads it
  void server_sends(std::string_view text);  // and the client reads it
  void exchange();                           // a request and its response
  void close_both();                         // the client first, until it is in TIME_WAIT
  void talk_and_close();                     // an exchange, and both close, to the end
  // That side's application notes the error of a call that had to fail so.
  void client_fails(const Call& call, int error) { played.client_errno = call.fails_with(error); }
  void server_fails(const Call& call, int error) { played.server_errno = call.fails_with(error); }

  // The cable.
  void drop(Side at, Hook hook, const std::string& match = {});
  void drop_once(Side at, Hook hook, const std::string& match);
  void reject(Side at, Hook hook, const std::string& match, Refusal refusal = Refusal::tcp_reset);
  void set_queue(Side at, const std::string& words);  // in tc's words; "" is none
  void silence(Side side);                            // nothing in, nothing out
  void unsilence(Side side);                          // removes every rule on that side
  int dropped(Side at);
  void set_sysctl(Side side, const std::string& name, const std::string& value, bool required = true);
  ScriptedHost scripted_host(Side beside, uint16_t port);
  // The client of a connection to the server's listener is a scripted host; the server has accepted.
  ScriptedHost scripted_client(uint16_t port, bool timestamps = false);
  // Puts a third machine into the cable: in `before`, so that whoever watches sees the final interfaces.
  void route_through_third_machine();
  void refuse_on_third_machine(const std::string& type);  // by an ICMP message
  Outsider outsider();                                    // on that machine
  void add_second_cable();                                // in `before`, too
  void route_over_second_cable(bool on);                  // what the client sends to the server

  void pause(Millis time);
  // The connection played reaches `state` on this side ("" or "gone": no socket left).
  void await_state(Side side, const std::string& state, Millis patience = std::chrono::seconds(3));
  // How far one of the kernel's TCP counters (/proc/net/netstat) has moved on this side since the script began.
  int64_t counted(Side side, const std::string& name);
  // Until it has moved so far.
  void await_counted(Side side, const std::string& name, int64_t wanted, Millis patience = std::chrono::seconds(10));
  void require(bool condition, std::string_view what);
  template <typename T>
  void fact(std::string key, const T& value) {
    played.more.emplace_back(std::move(key), fmt::format("{}", value));
  }

 private:
  Script(Lab& lab, PlayOptions options) : lab_(lab), options_(options) {}
  void check(const Result<void>& done);

  Lab& lab_;
  PlayOptions options_;
  Failure failure_;
  Lab::Counters counters_before_[2];
  std::optional<Actor> client_;
  std::optional<Actor> server_;
};

}  // namespace tcpwitness::lab
