// SPDX-License-Identifier: Apache-2.0
// One client of the stream manager: handshake, then requests in any number at a time. Owned by the
// StreamServer; the loop's thread only. Answers may overtake each other, but not those to equal ids
// (one client library numbers nothing).
//
// Clients do not survive a frame's header that comes in two pieces, so that a frame never begins
// in one send and goes on in the next where the socket still holds older bytes: what is sent at a
// time is one frame, or several small ones, and nothing follows before the kernel has passed it on.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/os/file.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/streams/server/stream_frame.hpp"
#include "edge/streams/server/stream_operations.hpp"

namespace andon::edge {

struct StreamConnectionLimits {
  StreamFrameReader::Limits guest{.frame_bytes = 16U << 10U};
  StreamFrameReader::Limits client{};
  std::chrono::milliseconds handshake{5'000};
  // A client with more that it has not read, or not got an answer to, is not read from meanwhile.
  std::size_t unsent_bytes = 1U << 20U;
  std::size_t unanswered = 4096;
};

class StreamConnection : public std::enable_shared_from_this<StreamConnection> {
 public:
  struct Handlers {
    // Says, now or later, whether it is the token of somebody who may use streams.
    std::function<void(const std::string& token, std::function<void(bool)> answer)> authenticate;
    std::function<void()> on_accepted;
    std::function<void()> on_close;
  };

  // What all connections have not sent yet; one that goes beyond it is closed.
  struct Unsent {
    std::size_t bytes = 0;
    std::size_t most = 64U << 20U;
  };

  StreamConnection(EventLoop& loop, base::UniqueFd socket, StreamOperations& operations,
                   std::shared_ptr<FrameBudget> budget, std::shared_ptr<Unsent> unsent,
                   const StreamConnectionLimits& limits, Handlers handlers);
  StreamConnection(const StreamConnection&) = delete;
  StreamConnection& operator=(const StreamConnection&) = delete;
  ~StreamConnection();

  void start();
  void close();

 private:
  enum class Phase { version, connect, authenticating, ready };
  // Of a request that is not answered.
  struct Slot {
    std::optional<StreamReply> reply;
  };

  void on_events(std::uint32_t events);
  void read();
  void take_events();
  void take_version(int version);
  void take_frame(int operation, std::string_view payload);
  void take_connect(int operation, const std::string& request_id, const CborValue& request);
  void accept(const std::string& request_id);
  void refuse(const std::string& request_id, StreamStatus status, std::string_view why);
  void take_too_large(int operation, std::string_view begin);
  void answer(const std::string& request_id, const std::shared_ptr<Slot>& slot, StreamReply reply);
  void send(std::string frame);
  void flush();
  void watch_again();
  void go_on_soon();
  [[nodiscard]] bool is_crowded() const;

  EventLoop& loop_;
  base::UniqueFd socket_;
  StreamOperations& operations_;
  std::shared_ptr<Unsent> all_unsent_;
  const StreamConnectionLimits& limits_;
  Handlers handlers_;
  StreamFrameReader reader_;
  Phase phase_ = Phase::version;
  bool knows_update_ = true;
  std::map<std::string, std::deque<std::shared_ptr<Slot>>> unanswered_;
  std::size_t unanswered_count_ = 0;
  std::deque<std::string> frames_;  // to be sent
  std::string unit_;                // being sent: whole frames
  std::size_t unit_at_ = 0;
  std::size_t unsent_ = 0;
  std::uint32_t watched_ = 0;
  bool is_stalled_ = false;  // frames wait in the reader
  bool is_ending_ = false;   // closes when all is sent
  bool is_closed_ = false;
  EventLoop::TimerId handshake_timer_ = 0;
  EventLoop::TimerId send_timer_ = 0;
  int send_waits_ = 0;
};

}  // namespace andon::edge
