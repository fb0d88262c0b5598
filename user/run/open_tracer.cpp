// SPDX-License-Identifier: Apache-2.0
#include "run/open_tracer.hpp"

#include <linux/capability.h>
#include <sys/resource.h>

#include <array>
#include <string>
#include <system_error>
#include <utility>

#include "confine/confine.hpp"
#include "probe/loading_memory.hpp"
#include "run/clock_steps.hpp"
#include "run/messages.hpp"
#include "values/thread_refused.hpp"

namespace tcpwitness {
namespace {

// The hooks of a machine with hundreds of interfaces need more descriptors than the usual soft limit of 1,024. Of this
// process alone: the command that it runs has been forked.
void use_all_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// A thread of its own, with this one capability.
Result<std::unique_ptr<Urgency>> raise_when_it_fills(RingSource& ring, int ring_map_fd) {
  try {
    return Urgency::of_this_thread(ring, ring_map_fd, [] {
      constexpr std::array only{CAP_SYS_NICE};
      if (auto given_up = keep_capabilities(only); !given_up) say("tcpwitness: " + given_up.error().message());
    });
  } catch (const std::system_error& error) {
    return std::unexpected(thread_refused("start a thread", error));
  }
}

Result<void> watch_all(RingSource& ring, std::span<const int> fds, RingSource::Ends ends) {
  for (const int fd : fds) {
    if (fd < 0) continue;
    if (auto watched = ring.watch(fd, ends); !watched) return watched;
  }
  return {};
}

}  // namespace

Result<OpenTracer> open_tracer(const TracerSettings& settings, std::span<const int> watched, int ends) {
  use_all_descriptors();
  const LoadingMemory memory;
  OpenTracer opened;
  const DisabledFeatures disabled = DisabledFeatures::from_environment();
  auto features = find_features(disabled);
  if (!features) return std::unexpected(features.error());
  opened.features = *std::move(features);
  auto tracer = Tracer::load(settings, opened.features, disabled,
                             [](const std::string& text) { say("tcpwitness: " + text, Priority::notice); });
  if (!tracer) return std::unexpected(tracer.error());
  opened.tracer = *std::move(tracer);
  auto ring = RingSource::open(opened.tracer->ring_fd());
  if (!ring) return std::unexpected(ring.error());
  opened.ring = *std::move(ring);
  opened.clock_set = watch_for_clock_set();
  const std::array once{opened.clock_set.get(), ends};
  if (auto ok = watch_all(*opened.ring, once, RingSource::Ends::becomes_readable); !ok)
    return std::unexpected(ok.error());
  if (auto ok = watch_all(*opened.ring, watched, RingSource::Ends::readable); !ok) return std::unexpected(ok.error());
  const std::array links{opened.tracer->links_fd()};
  if (auto ok = watch_all(*opened.ring, links, RingSource::Ends::readable); !ok) return std::unexpected(ok.error());
  auto urgency = raise_when_it_fills(*opened.ring, opened.tracer->ring_fd());
  if (!urgency) return std::unexpected(urgency.error());
  opened.urgency = *std::move(urgency);
  return opened;
}

}  // namespace tcpwitness
