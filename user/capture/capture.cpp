// SPDX-License-Identifier: Apache-2.0
#include "tcpwitness/capture.hpp"

#include <algorithm>

#include "capture/capture_file.hpp"
#include "capture/tcp_frames.hpp"
#include "wire/conversations.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t events_at_a_time = 256;
constexpr std::uint32_t headers_at_most = 512;  // Ethernet to TCP takes 54; this is tunnels in tunnels, with options

}  // namespace

CorrelatorSettings capture_settings() {
  CorrelatorSettings settings;
  settings.has_kernel = false;
  settings.every_segment = true;
  settings.capture = true;
  settings.half_open_limit = settings.wire_alone_limit;  // a scan in a file is reported whole
  return settings;
}

struct Capture::Impl {
  Impl(std::unique_ptr<CaptureFile> opened, bool every_segment)
      : file(std::move(opened)), conversations({.all_segments = every_segment, .expiry = {}}) {
    file->set_snaplen(headers_at_most);
  }

  std::unique_ptr<CaptureFile> file;
  TcpFrames tcp_frames;
  Conversations conversations;
  TcpFrame tcp;
  TimeNs now = 0;
  std::uint64_t frames = 0;
  std::uint64_t segments = 0;
  bool over = false;
};

Capture::Capture(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Capture::~Capture() = default;
Capture::Capture(Capture&&) noexcept = default;
Capture& Capture::operator=(Capture&&) noexcept = default;

Result<Capture> Capture::open(const std::string& path, bool every_segment) {
  auto file = CaptureFile::open(path);
  if (!file) return std::unexpected(file.error());
  return Capture(std::make_unique<Impl>(std::move(*file), every_segment));
}

bool Capture::read(std::vector<Event>& events) {
  const std::size_t enough = events.size() + events_at_a_time;
  CaptureBlock block;
  while (!impl_->over && events.size() < enough) {
    impl_->over = !impl_->file->next(block);
    if (impl_->over || block.kind != CaptureBlock::Kind::frame) continue;
    ++impl_->frames;
    const bool segment = impl_->tcp_frames.parse(block, impl_->tcp);
    if (impl_->tcp.icmp) impl_->conversations.observe_icmp(impl_->tcp, events);
    if (!segment) continue;
    ++impl_->segments;
    impl_->now = std::max(impl_->now, impl_->tcp.ts_ns);
    impl_->conversations.observe(impl_->tcp, events);
  }
  return !impl_->over || impl_->conversations.finish(events, events_at_a_time);
}

TimeNs Capture::now() const { return impl_->now; }
const std::optional<Error>& Capture::damage() const { return impl_->file->damage(); }
std::uint64_t Capture::frames() const { return impl_->frames; }
std::uint64_t Capture::segments() const { return impl_->segments; }

}  // namespace tcpwitness
