// SPDX-License-Identifier: Apache-2.0
//
// See tcpdump.hpp.

#include "live/tcpdump.hpp"

#include <csignal>
#include <regex>

namespace tcpwitness::live {

Result<Tcpdump> Tcpdump::start(lab::Lab& lab, const std::filesystem::path& file, const std::vector<std::string>& more,
                               const std::string& filter) {
  std::vector<std::string> argv{"ip", "netns", "exec", lab.client_ns(), "tcpdump", "-i",         lab::client_link,
                                "-Z", "root",  "-s",   "128",           "-w",      file.string()};
  argv.insert(argv.end(), more.begin(), more.end());
  argv.push_back(filter);
  Tcpdump tcpdump;
  auto child = lab::Child::start(argv, {{tcpdump.said_->fd(), STDERR_FILENO}});
  if (!child) return lab::failure(child.error());
  tcpdump.child_ = std::move(*child);
  for (int i = 0; i < 1000; ++i) {
    if (tcpdump.said_->text().find("listening on") != std::string::npos) return tcpdump;
    lab::pause_for(Millis(20));
  }
  return lab::failure("tcpdump does not begin: " + tcpdump.said_->text());
}

// SIGUSR1 makes it print its counts, in one line.
Result<void> Tcpdump::stop() {
  static const std::regex counts(
      "([0-9]+) packets? captured, ([0-9]+) packets? received by filter, "
      "([0-9]+) packets? dropped by kernel\n");
  for (int i = 0; i < 200; ++i) {
    child_.signal(SIGUSR1);
    lab::pause_for(Millis(50));
    const std::string text = said_->text();
    std::smatch last;
    for (std::sregex_iterator at(text.begin(), text.end(), counts), end; at != end; ++at) last = *at;
    if (last.empty() || last[1] != last[2]) continue;
    child_.signal(SIGINT);
    if (!child_.wait(Millis(5000))) return lab::failure("tcpdump does not end");
    if (last[3] != "0") return lab::failure("tcpdump missed packets: " + last.str());
    return {};
  }
  return lab::failure("tcpdump does not keep up: " + said_->text());
}

}  // namespace tcpwitness::live
