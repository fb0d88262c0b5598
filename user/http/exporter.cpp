// SPDX-License-Identifier: Apache-2.0
#include "http/exporter.hpp"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/write.hpp>
#include <latch>
#include <limits>
#include <list>
#include <optional>
#include <system_error>
#include <thread>

#include "values/thread_refused.hpp"

namespace tcpwitness {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using Failure = boost::system::error_code;

asio::ip::address to_asio(const Address& address) {
  if (!address.is_ipv4()) return asio::ip::address_v6(address.bytes);
  asio::ip::address_v4::bytes_type bytes{};
  std::copy(address.bytes.end() - 4, address.bytes.end(), bytes.begin());
  return asio::ip::address_v4(bytes);
}

struct Answer {
  http::status status = http::status::ok;
  std::string type = "text/plain; charset=utf-8";
  std::shared_ptr<const std::string> body;
};

Answer plain(http::status status, std::string text) {
  return {.status = status, .body = std::make_shared<const std::string>(std::move(text))};
}

// One client: a request, its answer, the next request.
class Session : public std::enable_shared_from_this<Session> {
 public:
  using Give = std::function<Answer(const http::request<http::empty_body>&)>;
  Session(tcp::socket&& socket, const ExporterLimits& limits, const Give& give, std::function<void(Session*)> over)
      : stream_(std::move(socket)),
        buffer_(limits.header_bytes),
        limits_(limits),
        give_(give),
        over_(std::move(over)) {}
  ~Session() { over_(this); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void begin() { read(limits_.request); }
  // What it waits for ends at once, and it with that.
  void end() { stream_.close(); }
  // When it came, or had its last answer.
  [[nodiscard]] Clock::time_point since() const { return since_; }

 private:
  void read(std::chrono::milliseconds at_most) {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());  // no body is read
    stream_.expires_after(at_most);
    http::async_read_header(stream_, buffer_, *parser_, [self = shared_from_this()](Failure error, std::size_t) {
      if (!error) return self->answer();
      const bool ended = error == http::error::end_of_stream || error == http::error::partial_message;
      if (error.category() == http::make_error_code(http::error::bad_target).category() && !ended) self->refuse(error);
    });
  }

  void answer() {
    const auto& request = parser_->get();
    given_ = give_(request);
    // A body is not read: what follows would be taken for a request.
    send(request.version(), request.method() == http::verb::head, request.keep_alive() && parser_->is_done());
  }

  // No request that can be answered.
  void refuse(Failure error) {
    const bool long_header = error == http::error::header_limit || error == http::error::buffer_overflow;
    given_ = plain(long_header ? http::status::request_header_fields_too_large : http::status::bad_request,
                   error.message() + "\n");
    constexpr unsigned http_1_1 = 11;
    send(http_1_1, false, false);
  }

  void send(unsigned version, bool head, bool keep_alive) {
    response_.emplace();
    response_->version(version);
    response_->result(given_.status);
    response_->set(http::field::content_type, given_.type);
    response_->content_length(given_.body->size());
    response_->keep_alive(keep_alive);
    if (!head) response_->body() = beast::span<const char>(given_.body->data(), given_.body->size());
    writer_.emplace(*response_);
    writer_->split(head);
    stream_.expires_after(limits_.answer);
    const auto then = [self = shared_from_this()](Failure error, std::size_t) {
      if (!error) self->answered();
    };
    if (head) return http::async_write_header(stream_, *writer_, then);
    http::async_write(stream_, *writer_, then);
  }

  void answered() {
    since_ = Clock::now();
    given_.body.reset();
    if (response_->keep_alive()) return read(limits_.idle);
    Failure ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  const ExporterLimits& limits_;
  const Give& give_;
  std::function<void(Session*)> over_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  Answer given_;
  std::optional<http::response<http::span_body<const char>>> response_;
  std::optional<http::response_serializer<http::span_body<const char>>> writer_;
  Clock::time_point since_ = Clock::now();
};

}  // namespace

class Exporter::Impl {
 public:
  Impl(Page page, const char* content_type, const ExporterLimits& limits)
      : limits_(limits), page_(std::move(page)), content_type_(content_type) {}
  ~Impl() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
    ending_ = true;
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Failure listen(const Endpoint& at) {
    const tcp::endpoint where(to_asio(at.address), at.port);
    constexpr int backlog = 64;
    Failure error;
    acceptor_.open(where.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(where, error);
    if (!error) acceptor_.listen(backlog, error);
    return error;
  }
  [[nodiscard]] std::uint16_t port() const {
    Failure ignored;
    return acceptor_.local_endpoint(ignored).port();
  }

  void start(const std::function<void()>& in_thread) {
    accept();
    std::latch begun(1);
    thread_ = std::thread([this, &in_thread, &begun] {
      in_thread();
      begun.count_down();
      run();
    });
    begun.wait();
  }

 private:
  static constexpr auto pause = std::chrono::milliseconds(100);

  // Memory may be short for one request, or for one client; the next ones are answered. After a failure nothing may
  // wait for them any more, as it may have been in taking a client, inside of asio too; and a context that nothing
  // waits in would be stopped for good.
  void run() {
    const auto until_the_end = asio::make_work_guard(context_);
    for (bool failed = false; !context_.stopped();) {
      try {
        if (failed) accept_later();
        failed = false;
        context_.run();
      } catch (const std::exception&) {
        if (failed) std::this_thread::sleep_for(pause);  // memory is short still
        failed = true;
      }
    }
  }

  // One waits for a client at a time: after a failure another may still do so.
  void accept() {
    Failure ignored;
    acceptor_.cancel(ignored);
    acceptor_.async_accept([this](Failure error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return accept_later();
      take(std::move(socket));
      accept();
    });
  }
  // No descriptor or no memory is left, say.
  void accept_later() {
    pause_.expires_after(pause);
    pause_.async_wait([this](Failure error) {
      if (!error) accept();
    });
  }

  void take(tcp::socket socket) {
    if (sessions_.size() >= limits_.connections) {
      const auto oldest = std::ranges::min_element(sessions_, {}, &Session::since);
      (*oldest)->end();
      sessions_.erase(oldest);
    }
    const auto session = std::make_shared<Session>(std::move(socket), limits_, give_, [this](Session* ended) {
      if (!ending_) sessions_.remove(ended);
    });
    sessions_.push_back(session.get());
    session->begin();
  }

  [[nodiscard]] Answer give(const http::request<http::empty_body>& request) const {
    if (request.method() != http::verb::get && request.method() != http::verb::head)
      return plain(http::status::method_not_allowed, "GET and HEAD only\n");
    const std::string_view target(request.target().data(), request.target().size());
    std::string_view path = target.substr(0, target.find('?'));
    if (path.starts_with("http://")) path.remove_prefix(std::min(path.find('/', 7), path.size()));  // RFC 9112, 3.2.2
    if (path == "/metrics") return {.status = http::status::ok, .type = content_type_, .body = page_()};
    if (path == "/") return plain(http::status::ok, "tcpwitness: /metrics\n");
    return plain(http::status::not_found, "tcpwitness: /metrics\n");
  }

  ExporterLimits limits_;
  Page page_;
  std::string content_type_;
  bool ending_ = false;
  std::list<Session*> sessions_;
  Session::Give give_ = [this](const auto& request) { return give(request); };
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  asio::steady_timer pause_{context_};
  std::thread thread_;
};

Exporter::Exporter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Exporter::~Exporter() = default;

Result<std::unique_ptr<Exporter>> Exporter::listen(const Endpoint& at, Page page, const char* content_type,
                                                   ExporterLimits limits) {
  try {
    auto impl = std::make_unique<Impl>(std::move(page), content_type, limits);
    if (const Failure error = impl->listen(at)) return failure("listen on " + to_string(at), error.message());
    return std::unique_ptr<Exporter>(new Exporter(std::move(impl)));
  } catch (const std::system_error& error) {
    return failure("listen on " + to_string(at), error.what());
  }
}

std::uint16_t Exporter::port() const { return impl_->port(); }

Result<void> Exporter::start(const std::function<void()>& in_thread) {
  try {
    impl_->start(in_thread);
  } catch (const std::system_error& error) {
    return std::unexpected(thread_refused("start a thread that serves the metrics", error));
  }
  return {};
}

}  // namespace tcpwitness
