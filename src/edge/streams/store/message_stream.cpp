// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/store/message_stream.hpp"

#include <algorithm>

#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"

namespace andon::edge {
namespace {

constexpr std::string_view kMark = "mark";
constexpr std::int64_t kReservedAtOnce = 65'536;
constexpr std::size_t kHints = 32;
constexpr std::uint64_t kHintEvery = 1U << 20U;
constexpr std::size_t kMarkBytes = 4096;

}  // namespace

MessageStream::MessageStream(Place place, StreamDefinition definition)
    : place_(std::move(place)), definition_(std::move(definition)) {
  if (is_file()) load();
}

void MessageStream::load() {
  std::vector<std::pair<std::int64_t, fs::path>> files;
  for (const auto& entry : fs::directory_iterator(place_.directory)) {
    const std::int64_t first = Segment::first_of_name(entry.path());
    if (first >= 0) files.emplace_back(first, entry.path());
  }
  std::ranges::sort(files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& [first, file] = files[i];
    next_ = std::max(next_, first);
    Segment segment = i + 1 < files.size() ? Segment::closed(file, first, files[i + 1].first)
                                           : Segment::last(file, first);
    next_ = std::max(next_, segment.next());
    was_cut_ = segment.was_cut();
    if (segment.is_empty()) {
      segment.remove();
      continue;
    }
    total_bytes_ += segment.payload_bytes();
    segments_.push_back(std::move(segment));
  }
  load_mark();
}

// {"bootId", "reserved", "exact"}: after an orderly end, or within the life of the machine, `exact`
// is no more than the next number; else the next one is `reserved`.
void MessageStream::load_mark() {
  const fs::path file = place_.directory / kMark;
  const auto text = base::read_file_if_exists(file, kMarkBytes);
  if (!text) return;
  try {
    const base::json::value value = base::parse_json(*text, "mark");
    const base::JsonReader mark(value, file.string());
    const bool is_same_life = mark.string("bootId") == place_.boot_id;
    const std::int64_t exact = mark.integer("exact");
    const bool nothing_is_lost = !was_cut_ && (is_same_life || definition_.flush_on_write ||
                                               mark.integer("reserved") == exact);
    next_ = std::max(next_, nothing_is_lost ? exact : mark.integer("reserved"));
    if (is_same_life) reserved_ = mark.integer("reserved");
  } catch (const base::Error& error) {
    base::log_error("a stream's mark cannot be read; its numbers go on behind its messages",
                    {{"file", file.string()}, {"why", error.message()}});
  }
}

void MessageStream::write_mark(std::int64_t reserved, bool is_exact) {
  if (!is_file()) return;
  base::write_file_atomically(
      place_.directory / kMark,
      base::to_text(base::json::object{
          {"bootId", place_.boot_id}, {"reserved", is_exact ? next_ : reserved}, {"exact", next_}}),
      0600);
  reserved_ = is_exact ? next_ : reserved;
}

void MessageStream::reserve() {
  if (is_file() && next_ >= reserved_) write_mark(next_ + kReservedAtOnce, false);
}

void MessageStream::adopt(StreamDefinition definition) {
  definition_ = std::move(definition);
  make_room(0);
}

std::int64_t MessageStream::oldest() const {
  return segments_.empty() ? next_ : segments_.front().first();
}

void MessageStream::drop_first() {
  const std::int64_t first_kept = segments_.front().next();
  if (on_drop_) on_drop_(*this, segments_.size() > 1 ? segments_[1].first() : first_kept);
  // Without a segment the mark alone knows what comes next.
  if (segments_.size() == 1) write_mark(next_ + kReservedAtOnce, false);
  total_bytes_ -= segments_.front().payload_bytes();
  segments_.front().remove();
  segments_.pop_front();
  std::erase_if(hints_, [&](const Hint& hint) { return hint.sequence < first_kept; });
}

void MessageStream::make_room(std::int64_t bytes) {
  if (definition_.overwrites_oldest) {
    while (!segments_.empty() && total_bytes_ + bytes > definition_.max_size) drop_first();
  }
}

Segment& MessageStream::growing(std::int64_t bytes, std::int64_t now_ms) {
  const std::int64_t most = std::min(definition_.segment_size, definition_.max_size);
  bool is_full = segments_.empty() || segments_.back().payload_bytes() + bytes > most ||
                 segments_.back().next() != next_;
  // By age, too: else one message a minute would keep all of them for ever.
  if (!is_full && definition_.time_to_live_ms) {
    is_full = now_ms - segments_.back().oldest_ms() > *definition_.time_to_live_ms / 2;
  }
  if (is_full) {
    if (!segments_.empty()) {
      if (is_dirty_ && definition_.flush_on_write) segments_.back().sync();
      segments_.back().close_file();
    }
    segments_.emplace_back(is_file() ? place_.directory : fs::path(), next_);
    has_new_file_ = is_file();
  }
  return segments_.back();
}

std::int64_t MessageStream::append(std::string_view payload, std::int64_t now_ms) {
  const auto bytes = static_cast<std::int64_t>(payload.size());
  if (bytes > std::min(definition_.segment_size, definition_.max_size)) {
    throw StreamError(StreamStatus::request_payload_too_large,
                      "the message has " + std::to_string(bytes) + " bytes; a segment of stream " +
                          definition_.name + " has room for " +
                          std::to_string(std::min(definition_.segment_size, definition_.max_size)));
  }
  if (!definition_.overwrites_oldest && total_bytes_ + bytes > definition_.max_size) {
    throw StreamError(StreamStatus::invalid_request,
                      "StreamFull: stream " + definition_.name + " has " +
                          std::to_string(total_bytes_) + " of " +
                          std::to_string(definition_.max_size) + " bytes");
  }
  try {
    make_room(bytes);
    reserve();
    Segment& segment = growing(bytes, now_ms);
    try {
      segment.append({next_, now_ms, payload});
    } catch (const base::Error&) {
      if (segment.is_empty()) {
        segment.remove();
        segments_.pop_back();
      }
      throw;
    }
  } catch (const StreamError&) {
    throw;
  } catch (const base::Error& error) {
    throw StreamError(StreamStatus::unknown_failure,
                      "stream " + definition_.name + ": " + error.message());
  }
  total_bytes_ += bytes;
  is_dirty_ = true;
  return next_++;
}

void MessageStream::flush() {
  if (!is_dirty_ || !is_file()) return;
  try {
    if (!segments_.empty()) segments_.back().sync();
    if (has_new_file_) base::sync_directory(place_.directory);
  } catch (const base::Error& error) {
    throw StreamError(StreamStatus::unknown_failure,
                      "stream " + definition_.name + ": " + error.message());
  }
  has_new_file_ = false;
  is_dirty_ = false;
}

void MessageStream::close() {
  if (!is_file() || next_ == 0) return;
  flush();
  write_mark(0, true);
}

void MessageStream::remember(const Hint& hint) {
  hints_.push_back(hint);
  if (hints_.size() > kHints) hints_.pop_front();
}

std::uint64_t MessageStream::offset_for(const Segment& segment, std::int64_t sequence) const {
  Hint best{segment.first(), segment.first(), 0};
  for (const Hint& hint : hints_) {
    const bool is_nearer = hint.sequence <= sequence && hint.sequence >= best.sequence;
    if (hint.segment == segment.first() && is_nearer) best = hint;
  }
  return best.offset;
}

std::vector<StreamMessage> MessageStream::read(std::int64_t from, std::size_t most_count,
                                               std::size_t most_bytes) {
  std::vector<StreamMessage> messages;
  std::size_t bytes = 0;
  std::int64_t expected = std::max(from, oldest());
  bool is_over = false;
  bool is_lost = false;
  for (const Segment& segment : segments_) {
    if (segment.next() <= expected) continue;
    expected = std::max(expected, segment.first());
    std::uint64_t end = offset_for(segment, expected);  // of the last whole record
    std::uint64_t hinted = end;
    segment.read(end, [&](const StreamRecord& record, std::uint64_t offset) {
      if (offset >= hinted + kHintEvery) {
        remember({segment.first(), record.sequence, offset});
        hinted = offset;
      }
      is_lost = record.sequence > expected;
      is_over = messages.size() >= most_count ||
                (!messages.empty() && bytes + record.payload.size() > most_bytes);
      if (record.sequence >= expected && (is_lost || is_over)) {
        remember({segment.first(), record.sequence, offset});
        return false;
      }
      end = offset + Segment::kRecordOverhead + record.payload.size();
      if (record.sequence < expected) return true;
      messages.push_back({record.sequence, record.ingest_ms, std::string(record.payload)});
      bytes += record.payload.size();
      expected = record.sequence + 1;
      return true;
    });
    if (is_lost || is_over) break;
    remember({segment.first(), expected, end});
    if (end != segment.bytes()) {  // there was something behind it
      is_lost = true;
      break;
    }
  }
  if (messages.empty() && is_lost) {
    throw StreamError(StreamStatus::message_store_read_error,
                      "message " + std::to_string(expected) + " of stream " + definition_.name +
                          " is damaged; the next one that can be read is " +
                          std::to_string(first_whole(expected)));
  }
  return messages;
}

std::int64_t MessageStream::first_whole(std::int64_t from) {
  std::int64_t found = next_;
  for (const Segment& segment : segments_) {
    if (segment.next() <= from || found != next_) continue;
    segment.read(offset_for(segment, from), [&](const StreamRecord& record, std::uint64_t) {
      if (record.sequence < from) return true;
      found = record.sequence;
      return false;
    });
  }
  return found;
}

std::int64_t MessageStream::expire(std::int64_t now_ms) {
  if (!definition_.time_to_live_ms) return 0;
  const std::int64_t life = *definition_.time_to_live_ms;
  while (!segments_.empty() && segments_.front().newest_ms() + life <= now_ms) drop_first();
  if (segments_.empty()) return 0;
  return segments_.front().newest_ms() + life;
}

}  // namespace andon::edge
