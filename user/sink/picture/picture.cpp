// SPDX-License-Identifier: Apache-2.0
#include "sink/picture/picture.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "sink/format.hpp"
#include "sink/output.hpp"
#include "sink/picture/connection.hpp"
#include "sink/picture/ladder.hpp"
#include "sink/picture/markup.hpp"
#include "sink/picture/page.hpp"
#include "sink/picture/svg.hpp"

namespace tcpwitness {
namespace {

using picture::Connection;

constexpr ConnectionId first_stray = ConnectionId{1} << 40U;  // no run has so many connections

class PictureSink final : public Sink {
 public:
  PictureSink(int fd, const Names& names, const PictureSettings& settings)
      : output_(fd), names_(names), settings_(settings) {}

  void write(const Report& report) override {
    if (const auto* entry = std::get_if<Entry>(&report)) return keep(*entry);
    if (const auto* found = std::get_if<FindingReport>(&report)) {
      Connection* connection = found->conn == 0 ? find_stray(found->flow) : find(found->conn);
      if (connection != nullptr) connection->findings.push_back(*found);
      return;
    }
    if (const auto* life = std::get_if<Life>(&report)) {
      if (Connection* connection = find(life->conn)) connection->life = *life;
      return;
    }
    if (const auto* ready = std::get_if<Ready>(&report)) page_.ready = *ready;
    if (const auto* gap = std::get_if<GapReport>(&report)) page_.gaps.push_back(*gap);
    if (const auto* summary = std::get_if<Summary>(&report)) {
      page_.summary = *summary;
      finish();
    }
  }
  bool flush() override {
    if (!output_.flush()) {
      errno = output_.error();  // for the message: it is not the output of the run that failed
      return false;
    }
    if (!page_.summary || !settings_.finished) return true;
    return std::exchange(settings_.finished, nullptr)();
  }

 private:
  // Null: there are too many.
  Connection* find(ConnectionId conn) {
    if (const auto at = connections_.find(conn); at != connections_.end()) return &at->second;
    if (connections_.size() < settings_.connections) return &connections_[conn];
    left_out_.insert(conn);
    return nullptr;
  }

  // What belongs to no connection stands together by its ends.
  Connection* find_stray(const Flow& flow) {
    const auto [at, is_new] =
        strays_.try_emplace(fmt::format("{} {}", endpoint_text(flow.local).view(), endpoint_text(flow.remote).view()),
                            first_stray + strays_.size());
    if (is_new && strays_.size() > settings_.strays) {
      strays_.erase(at);
      ++strays_left_out_;
      return nullptr;
    }
    Connection* connection = find(at->second);
    if (connection == nullptr) return nullptr;
    Life& life = connection->life;
    if (life.conn == 0) {
      connection->stray = true;
      life.conn = at->second;
      life.flow = flow;
    }
    return connection;
  }

  // It lasts from its first event to its last one. A finding comes when it was judged, which is later.
  static void seen(Life& stray, TimeNs ts_ns) {
    stray.start_ts_ns = stray.start_ts_ns == 0 ? ts_ns : std::min(stray.start_ts_ns, ts_ns);
    stray.ts_ns = std::max(stray.ts_ns, ts_ns);
    stray.duration_ns = stray.ts_ns - stray.start_ts_ns;
  }

  void keep(const Entry& entry) {
    Connection* connection = entry.conn == 0 ? find_stray(entry.flow) : find(entry.conn);
    if (connection == nullptr) return;
    if (connection->stray) {
      seen(connection->life, entry.ts_ns);
      if (std::holds_alternative<SegmentEntry>(entry.body)) ++connection->stray_segments;
    }
    const bool sample = std::holds_alternative<SampleEntry>(entry.body);
    if (entries_ >= settings_.entries) {
      if (!sample) ++connection->left_out;
      return;
    }
    ++entries_;
    (sample ? connection->samples : connection->entries).push_back(entry);
  }

  // Of a connection that nobody's life was reported for, the run kept silent on purpose (a selection).
  void finish() {
    std::erase_if(connections_, [](const auto& each) { return each.second.life.conn == 0; });
    for (auto& [conn, connection] : connections_) {
      // Of a finding alone nothing else is known.
      if (connection.stray && connection.life.start_ts_ns == 0 && !connection.findings.empty())
        seen(connection.life, connection.findings.front().ts_ns);
    }
    for (const auto& [conn, connection] : connections_) shown_.push_back(&connection);
    std::ranges::sort(shown_, {},
                      [](const Connection* each) { return std::pair(each->life.start_ts_ns, each->life.conn); });
    if (settings_.ladder_alone) return draw_ladders();
    page_.connections = shown_;
    page_.peer_of = [this](const Connection& connection) { return peer_of(connection); };
    page_.left_out = left_out_.size() + strays_left_out_;
    picture::write_page(output_, page_, names_, {.fold_ordinary = false, .wire_alone = settings_.wire_alone});
  }

  [[nodiscard]] const Connection* peer_of(const Connection& connection) const {
    if (!connection.life.peer) return nullptr;
    const auto at = connections_.find(connection.life.peer->conn);
    return at == connections_.end() ? nullptr : &at->second;
  }

  void draw_ladders() {
    const picture::LadderSettings settings{.fold_ordinary = true, .wire_alone = settings_.wire_alone};
    std::vector<picture::Ladder> ladders;
    std::unordered_map<ConnectionId, bool> drawn;
    std::size_t more = left_out_.size() + strays_left_out_;
    for (const Connection* connection : shown_) {
      if (drawn[connection->life.conn]) continue;
      const Connection* peer = peer_of(*connection);
      // The side that connected is on the left.
      if (peer != nullptr && connection->life.role == Role::passive && peer->life.role == Role::active)
        std::swap(connection, peer);
      drawn[connection->life.conn] = true;
      if (peer != nullptr) drawn[peer->life.conn] = true;
      if (ladders.size() == settings_.ladders) {
        ++more;
        continue;
      }
      ladders.push_back(picture::lay_out(*connection, peer, names_, settings));
    }
    picture::append_svg(output_.buffer(), ladders, more);
    output_.line_done();
  }

  Output output_;
  const Names& names_;
  PictureSettings settings_;
  std::map<ConnectionId, Connection> connections_;
  std::unordered_set<ConnectionId> left_out_;
  std::vector<const Connection*> shown_;
  std::unordered_map<std::string, ConnectionId> strays_;  // by their ends
  std::size_t strays_left_out_ = 0;
  std::size_t entries_ = 0;
  picture::Page page_;
};

class Both final : public Sink {
 public:
  Both(std::unique_ptr<Sink> first, std::unique_ptr<Sink> second)
      : first_(std::move(first)), second_(std::move(second)) {}
  void write(const Report& report) override {
    first_->write(report);
    second_->write(report);
  }
  bool flush() override {
    const bool first = first_->flush();
    return second_->flush() && first;
  }

 private:
  std::unique_ptr<Sink> first_;
  std::unique_ptr<Sink> second_;
};

}  // namespace

std::unique_ptr<Sink> make_picture(int fd, const Names& names, const PictureSettings& settings) {
  return std::make_unique<PictureSink>(fd, names, settings);
}

std::unique_ptr<Sink> with_picture(std::unique_ptr<Sink> sink, std::unique_ptr<Sink> picture) {
  return std::make_unique<Both>(std::move(sink), std::move(picture));
}

}  // namespace tcpwitness
