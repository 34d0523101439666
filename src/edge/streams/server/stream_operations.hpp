// SPDX-License-Identifier: Apache-2.0
// The operations of the stream manager's protocol on a store and its exports. An answer may come
// later: a read waits for messages, an append to a stream with flushOnWrite for a sync that it
// shares with all that came meanwhile. Belongs to the thread of the loop, which waits for the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/streams/exports/exporter.hpp"
#include "edge/streams/store/stream_store.hpp"

namespace andon::edge {

enum class StreamOperation : int {
  connect = 1,
  create = 2,
  remove = 3,
  append = 4,
  read = 5,
  connect_response = 6,
  list = 11,
  describe = 13,
  update = 15,
  unknown_operation_error = 17,
};

struct StreamReply {
  int operation = 0;
  std::string payload;
};
using StreamRespond = std::function<void(StreamReply)>;

class StreamOperations {
 public:
  struct Parts {
    EventLoop& loop;
    StreamStore& store;
    Exporter& exporter;
    const base::Clock& clock;
  };

  explicit StreamOperations(Parts parts);
  StreamOperations(const StreamOperations&) = delete;
  StreamOperations& operator=(const StreamOperations&) = delete;
  ~StreamOperations();

  // `respond` is called exactly once, at once or later. `knows_update`: a client of protocol 1.1.
  void take(int operation, const std::string& request_id, const CborValue& request,
            bool knows_update, StreamRespond respond);
  // Messages were appended to the stream: whose read waited for them is answered.
  void appended(MessageStream& stream);

  [[nodiscard]] static StreamReply failure(int operation, const std::string& request_id,
                                           StreamStatus status, std::string_view message);
  // What answers an operation; unknown_operation_error for one that is not known.
  [[nodiscard]] static int response_of(int operation);

 private:
  struct Read {
    std::string request_id;
    std::uint64_t stream = 0;
    std::int64_t from = 0;
    std::int64_t least = 1;
    std::int64_t most = 1;
    EventLoop::TimerId timer = 0;
    StreamRespond respond;
  };
  struct Append {
    std::string request_id;
    std::int64_t sequence = 0;
    StreamRespond respond;
  };
  using Reads = std::multimap<std::uint64_t, std::shared_ptr<Read>>;

  StreamReply answer(int operation, const std::string& request_id, const CborValue& request);
  void append(const std::string& request_id, const CborValue& request, StreamRespond respond);
  void read(const std::string& request_id, const CborValue& request, StreamRespond respond);
  // Whether the read was answered.
  bool try_read(const Read& read);
  void end_read(const std::shared_ptr<Read>& read);
  void commit();
  void expire();
  void remove(std::string_view name);
  [[nodiscard]] std::int64_t now_ms() const;
  [[nodiscard]] StreamReply describe(const std::string& request_id, MessageStream& stream) const;

  Parts parts_;
  Reads reads_;                                             // by stream
  std::map<std::uint64_t, std::vector<Append>> unflushed_;  // by stream
  EventLoop::TimerId expiry_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
