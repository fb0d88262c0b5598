// SPDX-License-Identifier: Apache-2.0
// exporter_test.cpp: scrapers, and clients that are slow, many, greedy or not HTTP: one scrape beside them is quick.
#include "http/exporter.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "unit/failing_memory.hpp"

namespace tcpwitness::testing {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* get = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr const char* get_once = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

Endpoint loopback(std::uint16_t port = 0) {
  Endpoint at;
  at.address.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
  at.port = port;
  return at;
}

class Client {
 public:
  explicit Client(std::uint16_t port, int receive_buffer = 0) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer != 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
  }
  ~Client() {
    if (fd_ >= 0) ::close(fd_);
  }
  Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  Client& operator=(Client&&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  bool send(std::string_view text) {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  // Until it ends, has so much, or nothing comes for so long.
  std::string receive(std::size_t at_most = SIZE_MAX, milliseconds patience = milliseconds(10'000)) {
    std::string all;
    std::array<char, 65'536> some{};
    while (all.size() < at_most) {
      pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, static_cast<int>(patience.count())) <= 0) break;
      const ssize_t length = ::recv(fd_, some.data(), std::min(some.size(), at_most - all.size()), 0);
      if (length <= 0) break;
      all.append(some.data(), static_cast<std::size_t>(length));
    }
    return all;
  }
  // The other end has closed it (or reset it) within so long.
  bool is_closed(milliseconds patience) {
    const auto until = Clock::now() + patience;
    std::array<char, 65'536> some{};
    for (;;) {
      const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
      pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
      if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
      if (::recv(fd_, some.data(), some.size(), 0) <= 0) return true;
    }
  }

 private:
  int fd_;
  bool connected_ = false;
};

std::string ask(std::uint16_t port, const std::string& request) {
  Client client(port);
  client.send(request);
  return client.receive();
}

}  // namespace

class Exporting : public ::testing::Test {
 protected:
  std::uint16_t start(ExporterLimits limits = {}) {
    auto made = Exporter::listen(loopback(), [this] { return give(); }, "text/plain; version=0.0.4", limits);
    EXPECT_TRUE(made) << made.error().message();
    exporter_ = std::move(*made);
    EXPECT_TRUE(exporter_->start([this] { failing_ = &failing_allocation(); }));
    return exporter_->port();
  }
  std::shared_ptr<const std::string> give() { return ++given_ <= huge_ones_ ? huge_ : page_; }
  // A scrape that must be quick: whatever the others do.
  void expect_quick(std::uint16_t port) {
    const auto begun = Clock::now();
    const std::string answer = ask(port, get_once);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer.substr(0, 100);
    EXPECT_TRUE(answer.ends_with(*page_));
    EXPECT_LT(Clock::now() - begun, milliseconds(3000));
  }

  std::shared_ptr<const std::string> page_ = std::make_shared<const std::string>("a_total 1\n");
  // What so many get before the page itself: more than all buffers between two sockets have room for.
  std::shared_ptr<const std::string> huge_ = std::make_shared<const std::string>(16U << 20U, 'x');
  int huge_ones_ = 0;
  std::atomic<int> given_ = 0;
  std::atomic<int>* failing_ = nullptr;  // of its thread
  std::unique_ptr<Exporter> exporter_;
};

TEST_F(Exporting, GivesThePageAgainAndAgainOverOneConnection) {
  Client client(start());
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(client.send(get));
    std::string answer;
    while (!answer.ends_with(*page_)) {
      const std::string more = client.receive(1);
      ASSERT_FALSE(more.empty()) << answer;
      answer += more;
    }
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(answer.contains("Content-Type: text/plain; version=0.0.4\r\n")) << answer;
    EXPECT_TRUE(answer.contains(fmt::format("Content-Length: {}\r\n", page_->size()))) << answer;
    EXPECT_EQ(given_, i);
  }
  // Two at once.
  ASSERT_TRUE(client.send(std::string(get) + get_once));
  const std::string both = client.receive();
  EXPECT_NE(both.find("a_total"), both.rfind("a_total"));
}

TEST_F(Exporting, AnswersWhatIsNotAskedForAndIsNoHttp) {
  const std::uint16_t port = start();
  EXPECT_TRUE(ask(port, "GET /metrics?x=1 HTTP/1.0\r\n\r\n").ends_with(*page_)) << "a query changes nothing";
  EXPECT_TRUE(ask(port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n").contains("/metrics"));
  EXPECT_TRUE(ask(port, "GET /secret HTTP/1.1\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(ask(port, "DELETE /metrics HTTP/1.1\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 405 "));
  const std::string head = ask(port, "HEAD /metrics HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n")) << head;
  EXPECT_TRUE(head.contains(fmt::format("Content-Length: {}\r\n", page_->size())));
  EXPECT_TRUE(ask(port, "GET http://tracer/metrics HTTP/1.1\r\nConnection: close\r\n\r\n").ends_with(*page_));
  EXPECT_TRUE(ask(port, "GET http://tracer HTTP/1.1\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(ask(port, "\x16\x03\x01\x02 no http at all\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(ask(port, "POST /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n").starts_with("HTTP/1.1 405 "));
  const std::string long_header = "GET /metrics HTTP/1.1\r\nX-Long: " + std::string(64'000, 'a');
  EXPECT_TRUE(ask(port, long_header).starts_with("HTTP/1.1 431 "));
  expect_quick(port);
}

TEST_F(Exporting, HundredsOfSlowClientsHoldNobodyUp) {
  const std::uint16_t port = start({.request = std::chrono::minutes(2)});
  std::vector<Client> slow;
  for (int i = 0; i < 200; ++i) {
    slow.emplace_back(port);
    slow.back().send("GET /metrics HTTP/1.1\r\nX-Slow: ");
    if (i % 50 == 49) expect_quick(port);
  }
  // As many as there is room for are still waited for, and each byte more buys no more time.
  expect_quick(port);
  int gone = 0;
  for (Client& client : slow) gone += client.is_closed(milliseconds(30)) ? 1 : 0;
  EXPECT_GE(gone, 200 - 32);
  EXPECT_LT(gone, 200) << "who is slow is not yet refused";
}

TEST_F(Exporting, AByteNowAndThenBuysNoTime) {
  const std::uint16_t port = start({.request = milliseconds(700)});
  Client client(port);
  const auto begun = Clock::now();
  bool closed = false;
  while (!closed && Clock::now() - begun < milliseconds(20'000)) {
    client.send("G");
    closed = client.is_closed(milliseconds(100));
  }
  EXPECT_TRUE(closed);
  EXPECT_GE(Clock::now() - begun, milliseconds(600));
  EXPECT_EQ(given_, 0);
}

TEST_F(Exporting, WhoNeverReadsIsLeftAlone) {
  huge_ones_ = 40;
  const std::uint16_t port = start({.answer = milliseconds(300)});
  std::vector<Client> readers;
  for (int i = 0; i < huge_ones_; ++i) {
    readers.emplace_back(port, 4096);
    readers.back().send(get);
  }
  const auto until = Clock::now() + milliseconds(10'000);
  while (given_ < huge_ones_ && Clock::now() < until) std::this_thread::sleep_for(milliseconds(5));
  expect_quick(port);
  std::this_thread::sleep_for(milliseconds(2'000));
  // What was on its way comes, then the end: not all of it.
  const std::string some = readers.back().receive();
  EXPECT_LT(some.size(), huge_->size());
}

TEST_F(Exporting, AHugeRequestIsNotRead) {
  const std::uint16_t port = start();
  Client client(port);
  const std::string line(1000, 'a');
  bool sent = client.send("GET /metrics HTTP/1.1\r\n");
  const std::string field = fmt::format("X{}: {}\r\n", line, line);
  for (int i = 0; i < 20'000 && sent; ++i) sent = client.send(field);
  EXPECT_FALSE(sent) << "40 MB of header were taken";
  expect_quick(port);
}

TEST_F(Exporting, ManyScrapersAtOnceAreAllAnswered) {
  const std::uint16_t port = start();
  std::atomic<int> answered = 0;
  constexpr std::size_t at_once = 8;
  std::vector<std::thread> scrapers;
  scrapers.reserve(at_once);
  while (scrapers.size() < at_once) {
    scrapers.emplace_back([&] {
      for (int k = 0; k < 50; ++k) answered += ask(port, get_once).ends_with(*page_) ? 1 : 0;
    });
  }
  for (std::thread& scraper : scrapers) scraper.join();
  EXPECT_EQ(answered, 400);
}

// Wherever on the way from the client's SYN to its answer.
TEST_F(Exporting, MemoryThatIsShortForOnceCostsOneClient) {
  const std::uint16_t port = start();
  expect_quick(port);
  int failed = 0;
  for (int at = 1; at <= 30; ++at) {
    *failing_ = at;
    Client client(port);
    client.send(get_once);
    failed += client.receive(SIZE_MAX, milliseconds(300)).ends_with(*page_) ? 0 : 1;
    *failing_ = 0;
    expect_quick(port);
  }
  EXPECT_GE(failed, 3);
  EXPECT_LT(failed, 30) << "a request takes memory so often?";
}

TEST_F(Exporting, APortThatIsTakenIsSaid) {
  const std::uint16_t port = start();
  const auto second = Exporter::listen(loopback(port), [] { return std::make_shared<const std::string>(); }, "");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message(), fmt::format("cannot listen on 127.0.0.1:{}: Address already in use", port));
}

TEST_F(Exporting, EndsWhileClientsAreConnected) {
  const std::uint16_t port = start();
  Client idle(port);
  Client slow(port);
  slow.send("GET ");
  expect_quick(port);
  exporter_.reset();
  EXPECT_TRUE(idle.is_closed(milliseconds(5'000)));
}

}  // namespace tcpwitness::testing
