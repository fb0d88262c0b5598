// SPDX-License-Identifier: Apache-2.0
// exporter.hpp: gives one page by HTTP, to scrapers and to whoever else comes.
//
// One thread, which never waits for a client. Bounded: connections (the one that has shown least for longest gives way
// to a new one), a request's header, the time to send one and to take the answer. Boost.Beast, and not the server of
// prometheus-cpp: that has a thread for each connection, and as many slow clients as it has threads stop it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tcpwitness/address.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

struct ExporterLimits {
  std::size_t connections = 32;
  std::size_t header_bytes = 8192;
  std::chrono::milliseconds request{10'000};  // from the first byte, or from accept(), to the end of the header
  std::chrono::milliseconds answer{30'000};   // until the client has taken all of it
  std::chrono::milliseconds idle{150'000};    // between two requests
};

class Exporter {
 public:
  using Page = std::function<std::shared_ptr<const std::string>()>;

  // Listens from now on; answers from start() on. Port 0: any that is free.
  static Result<std::unique_ptr<Exporter>> listen(const Endpoint& at, Page page, const char* content_type,
                                                  ExporterLimits limits = {});
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  // in_thread: the first that its thread does; start() returns behind it.
  Result<void> start(const std::function<void()>& in_thread);

 private:
  class Impl;
  explicit Exporter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tcpwitness
