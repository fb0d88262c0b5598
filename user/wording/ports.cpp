// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "values/duration.hpp"
#include "values/words.hpp"
#include "wording/wording.hpp"

namespace tcpwitness {
namespace {

std::string holders(const arguments::PortExhaustion& of) {
  std::string text;
  for (const auto& holder : of.holders)
    text += fmt::format("{}{} by {}", text.empty() ? "" : ", ", holder.ports, process_words(holder.process));
  if (of.others != 0) {
    text += fmt::format("{}{} by {}", text.empty() ? "" : ", ", of.others,
                        of.more_holders ? "others" : "no process any more");
  }
  return text;
}

// Counted behind the failure: what was open then can be in TIME_WAIT since.
std::string in_use(const arguments::PortExhaustion& of) {
  constexpr std::int64_t moment_ns = 1'000'000;
  std::string text =
      of.counted_after_ns > moment_ns ? fmt::format("counted {} later: ", duration_in_words(of.counted_after_ns)) : "";
  text += fmt::format("{} in TIME_WAIT", of.time_wait);
  if (of.open != 0) text += fmt::format(", {} open ({})", of.open, holders(of));
  if (of.listening != 0) text += fmt::format(", {} listening", of.listening);
  return text;
}

}  // namespace

std::string words(const arguments::PortExhaustion& of) {
  const std::string to = to_string(of.remote);
  if (of.bound) {
    const std::string text =
        fmt::format("the process had bound port {}, which is in use to {} already", of.first_port, to);
    return of.counted ? fmt::format("{}: {}", text, in_use(of)) : text;
  }
  if (of.last_port == 0) return fmt::format("connect() found no free local port to {}", to);
  const std::uint32_t all = of.last_port >= of.first_port ? of.last_port - of.first_port + 1U : 0;
  std::string text =
      fmt::format("connect() found no free local port to {}: {} in {}-{} ({})", to, counted(all, "port"), of.first_port,
                  of.last_port, of.own_range ? "IP_LOCAL_PORT_RANGE" : "net.ipv4.ip_local_port_range");
  if (!of.counted) return text;
  text += fmt::format(", {}", in_use(of));
  const std::uint32_t taken = of.time_wait + of.open + of.listening;
  if (taken < all) text += fmt::format("; {} {} free a moment later", all - taken, all - taken == 1 ? "was" : "were");
  return text;
}

}  // namespace tcpwitness
