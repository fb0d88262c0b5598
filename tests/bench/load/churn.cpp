// SPDX-License-Identifier: Apache-2.0
// churn.cpp: a fixed amount of connect/close work, over loopback or between two network namespaces, to weigh a tracer
// with.
//
//   tw_churn [--server NETNS ADDRESS] CONNECTIONS [REQUEST_BYTES RESPONSE_BYTES]
//
// With --server the listener is in the network namespace of that name, which has the 32 addresses from ADDRESS on.
// Each connection carries one request and one response; the client closes first. Prints one line of names and
// values, among them the CPU time the whole machine spent per connection: the kernel's work, interrupts and any
// tracer are in it, so it means something only as a ratio to an untraced run of the same session.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

struct Load {
  std::uint32_t connections = 0;
  std::size_t request_bytes = 100;
  std::size_t response_bytes = 1000;
  std::string server_netns;  // "": the own one
  std::uint32_t server_address = INADDR_LOOPBACK;
};

constexpr std::uint32_t most_connections = 10'000'000;
constexpr std::size_t most_bytes = 1 << 16;
// The client rotates over so many addresses (127.0.0.1 to 127.0.0.32): one alone runs out of ports in TIME_WAIT.
constexpr std::uint32_t servers = 32;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }

  static Socket open() { return Socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }
  [[nodiscard]] int fd() const { return fd_; }

  [[nodiscard]] bool send(std::vector<char>& buffer, std::size_t bytes) const {
    return ::send(fd_, buffer.data(), bytes, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes);
  }
  [[nodiscard]] bool receive(std::vector<char>& buffer, std::size_t bytes) const {
    return ::recv(fd_, buffer.data(), bytes, MSG_WAITALL) == static_cast<ssize_t>(bytes);
  }
  // Until the peer has closed.
  void drain(std::vector<char>& buffer) const {
    while (::recv(fd_, buffer.data(), buffer.size(), 0) > 0) {
    }
  }

 private:
  int fd_;
};

sockaddr_in address(std::uint32_t host, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  result.sin_addr.s_addr = htonl(host);
  return result;
}

const sockaddr* generic(const sockaddr_in& concrete) { return reinterpret_cast<const sockaddr*>(&concrete); }

// A socket belongs to the network namespace in which it was made, and so do the connections that it accepts.
std::optional<Socket> open_in(const std::string& netns) {
  if (netns.empty()) return Socket::open();
  const Socket home(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  const Socket away(::open(("/run/netns/" + netns).c_str(), O_RDONLY | O_CLOEXEC));
  if (::setns(away.fd(), CLONE_NEWNET) != 0) return std::nullopt;
  auto socket = Socket::open();
  if (::setns(home.fd(), CLONE_NEWNET) != 0) return std::nullopt;
  return socket;
}

// The port it listens on, on every local address.
std::optional<std::uint16_t> listen_anywhere(const Socket& listener) {
  auto where = address(INADDR_ANY, 0);
  socklen_t size = sizeof where;
  if (::bind(listener.fd(), generic(where), size) != 0 || ::listen(listener.fd(), 1024) != 0) return std::nullopt;
  if (::getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&where), &size) != 0) return std::nullopt;
  return ntohs(where.sin_port);
}

void serve(const Socket& listener, const Load& load) {
  std::vector<char> buffer(most_bytes);
  while (true) {
    const Socket client(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client.fd() < 0) return;  // the listener was shut down: all is done
    if (client.receive(buffer, load.request_bytes) && client.send(buffer, load.response_bytes)) client.drain(buffer);
  }
}

bool converse(const sockaddr_in& server, const Load& load, std::vector<char>& buffer) {
  const auto socket = Socket::open();
  return ::connect(socket.fd(), generic(server), sizeof server) == 0 && socket.send(buffer, load.request_bytes) &&
         socket.receive(buffer, load.response_bytes);
}

// Seconds that all processors together were not idle, since boot.
double busy_seconds() {
  std::ifstream stat("/proc/stat");
  std::string word;
  stat >> word;                  // "cpu"
  std::vector<double> ticks(7);  // user nice system idle iowait irq softirq
  for (auto& value : ticks) stat >> value;
  const double idle = ticks[3] + ticks[4];
  return (std::accumulate(ticks.begin(), ticks.end(), 0.0) - idle) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::optional<std::size_t> number(std::string_view text, std::size_t most) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0 || value > most) return std::nullopt;
  return value;
}

std::optional<Load> parse(std::vector<std::string_view> arguments) {
  Load load;
  if (arguments.size() > 3 && arguments[0] == "--server") {
    in_addr address{};
    if (::inet_pton(AF_INET, std::string(arguments[2]).c_str(), &address) != 1) return std::nullopt;
    load.server_netns = arguments[1];
    load.server_address = ntohl(address.s_addr);
    arguments.erase(arguments.begin(), arguments.begin() + 3);
  }
  if (arguments.size() != 1 && arguments.size() != 3) return std::nullopt;
  const auto connections = number(arguments[0], most_connections);
  if (!connections) return std::nullopt;
  load.connections = static_cast<std::uint32_t>(*connections);
  if (arguments.size() == 3) {
    const auto request = number(arguments[1], most_bytes);
    const auto response = number(arguments[2], most_bytes);
    if (!request || !response) return std::nullopt;
    load.request_bytes = *request;
    load.response_bytes = *response;
  }
  return load;
}

}  // namespace

int main(int argc, char** argv) {
  const auto load = parse({argv + 1, argv + argc});
  if (!load) {
    std::fprintf(
        stderr,
        "usage: tw_churn [--server NETNS ADDRESS] CONNECTIONS [REQUEST_BYTES RESPONSE_BYTES] (bytes: 1 to %zu)\n",
        most_bytes);
    return 2;
  }
  const auto listener = open_in(load->server_netns);
  const auto port = listener ? listen_anywhere(*listener) : std::nullopt;
  if (!port) {
    std::fprintf(stderr, "tw_churn: cannot listen: %s\n", std::strerror(errno));
    return 1;
  }
  std::jthread server([&] { serve(*listener, *load); });

  std::vector<char> buffer(most_bytes);
  std::uint32_t failed = 0;
  const auto start = std::chrono::steady_clock::now();
  const double busy_before = busy_seconds();
  for (std::uint32_t i = 0; i < load->connections; i++) {
    if (!converse(address(load->server_address + i % servers, *port), *load, buffer)) failed++;
  }
  const double busy = busy_seconds() - busy_before;
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  ::shutdown(listener->fd(), SHUT_RDWR);

  const double connections = load->connections;
  std::printf("connections %u failed %u wall_s %.3f per_s %.0f cpu_us_per_connection %.2f\n", load->connections, failed,
              wall, connections / wall, busy * 1e6 / connections);
  return failed == 0 ? 0 : 1;
}
