// SPDX-License-Identifier: Apache-2.0
#include "run/serve.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <ctime>
#include <span>
#include <string_view>

#include "confine/confine.hpp"
#include "run/clocks.hpp"
#include "run/messages.hpp"
#include "source/urgency.hpp"
#include "version/version.hpp"

namespace tcpwitness {
namespace {

// Pages: its second number.
std::uint64_t resident_pages(int statm) {
  std::array<char, 128> text{};
  const ssize_t length = ::pread(statm, text.data(), text.size(), 0);
  if (length <= 0) return 0;
  const std::string_view line(text.data(), static_cast<std::size_t>(length));
  const std::size_t second = line.find(' ') + 1;
  std::uint64_t pages = 0;
  std::from_chars(line.data() + second, line.data() + line.size(), pages);
  return pages;
}

}  // namespace

MetricsServer::MetricsServer(const ServeOptions& options)
    : at_(options.listen),
      memory_(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)),
      started_(static_cast<double>(realtime_ns()) / 1e9),
      metrics_({.labels = options.labels, .limit = options.label_limit}, [this] { return own(); }) {}

Result<std::unique_ptr<MetricsServer>> MetricsServer::listen(const ServeOptions& options) {
  std::unique_ptr<MetricsServer> server(new MetricsServer(options));
  auto exporter =
      Exporter::listen(options.listen, [it = server.get()] { return it->metrics_.page(); }, metrics::content_type);
  if (!exporter) return std::unexpected(exporter.error());
  server->exporter_ = std::move(*exporter);
  server->at_.port = server->exporter_->port();
  return server;
}

Result<void> MetricsServer::start() {
  return exporter_->start([] {
    // Who starts it is raised at that moment (source/urgency.hpp); a page may wait its turn.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), Urgency::ordinary_nice);
    if (auto given_up = keep_capabilities(std::span<const int>{}); !given_up)
      say("tcpwitness: " + given_up.error().message());
  });
}

std::string MetricsServer::describe() const { return fmt::format("metrics at http://{}/metrics", to_string(at_)); }

metrics::Own MetricsServer::own() const {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return {.cpu_seconds = static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9,
          .memory_bytes = resident_pages(memory_.get()) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)),
          .started = started_,
          .version = version,
          .commit = commit};
}

}  // namespace tcpwitness
