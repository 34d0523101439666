// SPDX-License-Identifier: Apache-2.0
// One stream of messages: numbered, kept in segments, the oldest of which go by size and age. Owned
// by the StreamStore; belongs to one thread, which waits for the disk.
//
// An append survives the death of the process at once, and that of the machine after flush(). A
// sequence number is never given twice: `mark` holds a number that none given so far reaches, which
// counts after an end of the machine where records may be gone.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "edge/streams/store/segment.hpp"
#include "edge/streams/store/stream_definition.hpp"

namespace andon::edge {

struct StreamMessage {
  std::int64_t sequence = 0;
  std::int64_t ingest_ms = 0;
  std::string payload;
};

class MessageStream {
 public:
  struct Place {
    std::uint64_t id = 0;  // of this life of the agent, never the same for two streams
    fs::path directory;    // of the definition and of what File persistence keeps
    std::string boot_id;   // another one: the machine has ended meanwhile
  };

  // Reads what is there. Throws base::Error where the disk cannot be read.
  MessageStream(Place place, StreamDefinition definition);
  MessageStream(const MessageStream&) = delete;
  MessageStream& operator=(const MessageStream&) = delete;

  [[nodiscard]] std::uint64_t id() const { return place_.id; }
  [[nodiscard]] const fs::path& directory() const { return place_.directory; }
  [[nodiscard]] const StreamDefinition& definition() const { return definition_; }
  // The definition is on the disk already. Trims at once.
  void adopt(StreamDefinition definition);

  // Throws StreamError.
  std::int64_t append(std::string_view payload, std::int64_t now_ms);
  // All that was appended is safe from a power cut when it returns. Throws StreamError.
  void flush();
  // Before an orderly end: the next life goes on with the very next number.
  void close();

  // From `from` on at most `most_count` messages and, but for the first, `most_bytes`. Throws
  // StreamError(message_store_read_error) where the message `from` itself is damaged. Numbers that
  // were never given (after an end of the machine) are passed over.
  [[nodiscard]] std::vector<StreamMessage> read(std::int64_t from, std::size_t most_count,
                                                std::size_t most_bytes);
  // The first that is there from `from` on, where some are lost; next() where there is none.
  [[nodiscard]] std::int64_t first_whole(std::int64_t from);

  [[nodiscard]] std::int64_t oldest() const;
  [[nodiscard]] std::int64_t newest() const { return next_ - 1; }
  [[nodiscard]] std::int64_t next() const { return next_; }
  [[nodiscard]] std::int64_t total_bytes() const { return total_bytes_; }
  [[nodiscard]] bool is_empty() const { return segments_.empty(); }

  // Drops segments whose newest message has outlived its time. Gives when to look again, 0: never.
  std::int64_t expire(std::int64_t now_ms);

  // Called before messages are dropped, with the first that stays.
  using DropHandler = std::function<void(MessageStream&, std::int64_t first_kept)>;
  void on_drop(DropHandler handler) { on_drop_ = std::move(handler); }

 private:
  struct Hint {
    std::int64_t segment = 0;  // its first number
    std::int64_t sequence = 0;
    std::uint64_t offset = 0;
  };

  void load();
  void load_mark();
  void write_mark(std::int64_t reserved, bool is_exact);
  void reserve();
  void make_room(std::int64_t bytes);
  void drop_first();
  [[nodiscard]] Segment& growing(std::int64_t bytes, std::int64_t now_ms);
  void remember(const Hint& hint);
  [[nodiscard]] std::uint64_t offset_for(const Segment& segment, std::int64_t sequence) const;
  [[nodiscard]] bool is_file() const { return !definition_.is_in_memory; }

  Place place_;
  StreamDefinition definition_;
  std::deque<Segment> segments_;
  std::int64_t next_ = 0;
  std::int64_t reserved_ = 0;
  std::int64_t total_bytes_ = 0;
  bool was_cut_ = false;  // what a crash left at the end, or damage there
  bool is_dirty_ = false;
  bool has_new_file_ = false;
  DropHandler on_drop_;
  std::deque<Hint> hints_;  // where readers have been
};

}  // namespace andon::edge
