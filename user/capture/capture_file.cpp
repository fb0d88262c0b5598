// SPDX-License-Identifier: Apache-2.0
#include "capture/capture_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "capture/capture_impl.hpp"

namespace tcpwitness {

bool CaptureFile::Impl::damaged(std::string why) {
  damage = Error{fmt::format("read {} further", name), std::move(why), "everything before that was read"};
  return false;
}

bool CaptureFile::Impl::cut(std::string_view what, std::uint64_t begin, std::uint64_t wanted) {
  const std::uint64_t end = window.offset() + window.available();
  if (window.source().stopped()) return false;
  if (window.source().failure()) return damaged(fmt::format("after byte {}: {}", end, *window.source().failure()));
  return damaged(fmt::format("the file was cut at byte {}, in the middle of {} at byte {}, which is {} bytes long", end,
                             what, begin, wanted));
}

CaptureFile::CaptureFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CaptureFile::~CaptureFile() = default;

Result<std::unique_ptr<CaptureFile>> CaptureFile::recognise(std::unique_ptr<Impl> impl) {
  for (const auto& open : {open_pcap, open_pcapng}) {
    auto reader = open(*impl);
    if (!reader) return std::unexpected(reader.error());
    if (*reader == nullptr) continue;
    impl->reader = std::move(*reader);
    return std::unique_ptr<CaptureFile>(new CaptureFile(std::move(impl)));
  }
  const ByteWindow& window = impl->window;
  if (window.source().failure()) return failure("read " + impl->name, *window.source().failure());
  if (window.source().stopped()) return failure("read " + impl->name, "nothing came before it was stopped");
  if (window.available() == 0) return failure("read " + impl->name, "it is empty");
  return failure("read " + impl->name, "not a pcap or pcapng file",
                 "tcpwitness reads pcap and pcapng, also packed with gzip or zstd");
}

Result<std::unique_ptr<CaptureFile>> CaptureFile::open(const std::string& path, Wait wait) {
  auto source = open_source(path, std::move(wait));
  if (!source) return std::unexpected(source.error());
  return recognise(std::make_unique<Impl>(std::move(*source), path == "-" ? "standard input" : path));
}

Result<std::unique_ptr<CaptureFile>> CaptureFile::open(std::span<const std::byte> bytes) {
  auto source = open_source(bytes);
  if (!source) return std::unexpected(source.error());
  return recognise(std::make_unique<Impl>(std::move(*source), "the bytes"));
}

void CaptureFile::set_snaplen(std::uint32_t bytes) { impl_->head = std::min(bytes, max_captured); }

bool CaptureFile::next(CaptureBlock& block) { return !impl_->damage && impl_->reader->next(block); }

const std::optional<Error>& CaptureFile::damage() const { return impl_->damage; }
const std::vector<CaptureInterface>& CaptureFile::interfaces() const { return impl_->interfaces; }
const std::string& CaptureFile::application() const { return impl_->application; }
std::uint64_t CaptureFile::dropped() const { return impl_->dropped; }
std::uint64_t CaptureFile::odd_times() const { return impl_->odd_times; }
bool CaptureFile::regular() const { return impl_->regular; }
bool CaptureFile::written() const { return impl_->written; }
std::uint64_t CaptureFile::bytes_total() const { return impl_->total; }

std::string CaptureFile::format() const {
  return impl_->packing.empty() ? impl_->format : fmt::format("{}, {}", impl_->format, impl_->packing);
}

std::uint64_t CaptureFile::bytes_read() const {
  return impl_->packing.empty() ? impl_->window.offset() : impl_->window.source().packed_bytes_read();
}

}  // namespace tcpwitness
