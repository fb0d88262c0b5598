// SPDX-License-Identifier: Apache-2.0
//
// The vocabulary of the cases, each word a few orders to the actors or the lab. See script.hpp.

#include "lab/script.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

namespace tcpwitness::lab {

Result<std::unique_ptr<Script>> Script::create(Lab& lab, PlayOptions options) {
  std::unique_ptr<Script> script(new Script(lab, options));
  auto client = Actor::start(lab.host(Side::client).path(), "lab-client", script->failure_);
  if (!client) return tcpwitness::lab::failure(client.error());
  auto server = Actor::start(lab.host(Side::server).path(), "lab-server", script->failure_);
  if (!server) return tcpwitness::lab::failure(server.error());
  for (const Side side : {Side::client, Side::server}) {
    auto counters = lab.counters(side);
    if (!counters) return tcpwitness::lab::failure(counters.error());
    script->counters_before_[static_cast<int>(side)] = std::move(*counters);
  }
  script->client_.emplace(std::move(*client));
  script->server_.emplace(std::move(*server));
  script->played.client_ns = lab.client_ns();
  script->played.server_ns = lab.server_ns();
  script->played.client = script->client_->identity();
  script->played.server = script->server_->identity();
  return script;
}

int Script::listen(const Endpoint& at, int backlog) {
  const int fd = static_cast<int>(server().socket(at).ok());
  server().set(fd, SOL_SOCKET, SO_REUSEADDR, 1).ok();
  server().bind(fd, at).ok();
  server().listen(fd, backlog).ok();
  return fd;
}

int Script::client_socket(const Endpoint& to) { return static_cast<int>(client().socket(to).ok()); }

void Script::meet(int listener, int client_fd, const Endpoint& to) {
  const Call connected = client().connect(client_fd, to);
  connected.ok();
  const Call accepted = server().accept(listener);
  connection = {listener, client_fd, static_cast<int>(accepted.ok())};
  played.client_at = connected.local();
  played.server_at = accepted.local();
}

void Script::establish(const Endpoint& at) {
  const int listener = listen(at);
  meet(listener, client_socket(at), at);
}

void Script::client_sends(std::string_view text) {
  client().send(connection.client, text).ok();
  played.client_bytes += text.size();
  server().receive(connection.server, text.size()).ok(static_cast<int64_t>(text.size()));
}

void Script::server_sends(std::string_view text) {
  server().send(connection.server, text).ok();
  played.server_bytes += text.size();
  client().receive(connection.client, text.size()).ok(static_cast<int64_t>(text.size()));
}

void Script::exchange() {
  client_sends("what time is it?\n");
  server_sends("time to read RFC 9293\n");
}

void Script::close_both() {
  client().close(connection.client).ok();
  server().drain(connection.server).ok(0);
  server().close(connection.server).ok();
  played.closed_first = Closer::client;
  await_state(Side::client, "TIME_WAIT");
}

void Script::talk_and_close() {
  exchange();
  close_both();
  await_state(Side::server, "gone");
}

void Script::check(const Result<void>& done) {
  if (!done) failure_.note(done.error());
}

void Script::drop(Side at, Hook hook, const std::string& match) {
  if (!failure_) check(lab_.drop(at, hook, match));
}

void Script::drop_once(Side at, Hook hook, const std::string& match) {
  if (!failure_) check(lab_.drop_once(at, hook, match));
}

void Script::reject(Side at, Hook hook, const std::string& match, Refusal refusal) {
  if (!failure_) check(lab_.reject(at, hook, match, refusal));
}

void Script::set_queue(Side at, const std::string& words) {
  if (!failure_) check(lab_.set_queue(at, words));
}

void Script::silence(Side side) {
  drop(side, Hook::input);
  drop(side, Hook::output);
}

void Script::unsilence(Side side) {
  if (!failure_) check(lab_.remove_rules(side));
}

int Script::dropped(Side at) {
  if (failure_) return 0;
  auto count = lab_.dropped(at);
  if (!count) failure_.note(count.error());
  return count.value_or(0);
}

void Script::set_sysctl(Side side, const std::string& name, const std::string& value, bool required) {
  if (!failure_) check(lab_.set_sysctl(side, name, value, required));
}

ScriptedHost Script::scripted_host(Side beside, uint16_t port) {
  auto host = ScriptedHost::beside(lab_, beside, port, failure_);
  if (!host) failure_.note(host.error());
  (beside == Side::client ? played.client : played.server) = {0, ""};
  // A host that could not be made is never asked to do anything: the failure is sticky.
  return host ? std::move(*host) : ScriptedHost::mute(failure_);
}

ScriptedHost Script::scripted_client(uint16_t port, bool timestamps) {
  const int listener = listen();
  ScriptedHost host = scripted_host(Side::client, port);
  played.client_at = host.at();
  played.server_at = {server_ip, service_port};
  host.talk_to(played.server_at);
  if (timestamps) host.use_timestamps();
  host.say("S", 0, 0);
  host.hear("SA");
  host.say("A", 1, 1);
  connection = {listener, -1, static_cast<int>(server().accept(listener).ok())};
  return host;
}

void Script::route_through_third_machine() {
  if (!failure_) check(lab_.route_through_third_machine());
}

void Script::refuse_on_third_machine(const std::string& type) {
  if (!failure_) check(lab_.refuse_on_third_machine(type));
}

void Script::add_second_cable() {
  if (!failure_) check(lab_.add_second_cable());
}

void Script::route_over_second_cable(bool on) {
  if (!failure_) check(lab_.route_over_second_cable(on));
}

Outsider Script::outsider() {
  auto outsider = Outsider::on(lab_, failure_);
  if (!outsider) failure_.note(outsider.error());
  return outsider ? std::move(*outsider) : Outsider::mute(failure_);
}

void Script::pause(Millis time) {
  if (!failure_ && !pause_for(time)) failure_.note("interrupted");
}

void Script::await_state(Side side, const std::string& state, Millis patience) {
  const std::string wanted = state == "gone" ? "" : state;
  const bool is_client = side == Side::client;
  const Endpoint& local = is_client ? played.client_at : played.server_at;
  const Endpoint& remote = is_client ? played.server_at : played.client_at;
  const auto until = std::chrono::steady_clock::now() + patience;
  std::string now = "nothing";
  while (!failure_ && std::chrono::steady_clock::now() < until) {
    auto answer = lab_.socket_state(side, local, remote);
    if (!answer) return failure_.note(answer.error());
    now = *answer;
    if (now == wanted) return played.seen.push_back({side, state});
    pause(Millis(2));
  }
  failure_.note(
      fmt::format("{}: expected {}, the kernel shows {}", to_string(side), state, now.empty() ? "no socket" : now));
}

int64_t Script::counted(Side side, const std::string& name) {
  if (failure_) return 0;
  auto counters = lab_.counters(side);
  if (!counters) failure_.note(counters.error());
  if (failure_) return 0;
  return (*counters)[name] - counters_before_[static_cast<int>(side)][name];
}

void Script::await_counted(Side side, const std::string& name, int64_t wanted, Millis patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!failure_ && counted(side, name) < wanted) {
    if (std::chrono::steady_clock::now() >= until)
      return failure_.note(fmt::format("{}: expected that {} becomes {}", to_string(side), name, wanted));
    pause(Millis(5));
  }
}

void Script::require(bool condition, std::string_view what) {
  if (!condition) failure_.note(fmt::format("expected that {}", what));
}

}  // namespace tcpwitness::lab
