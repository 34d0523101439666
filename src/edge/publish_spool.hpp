// SPDX-License-Identifier: Apache-2.0
// QoS 1 messages of components on their way to the broker: kept in config.db from before the
// component is answered until somebody has received them, so that a crash, a broken network or an
// absent reader loses nothing. A broker that dies takes with it what it has acknowledged and its
// readers have not yet taken: what was delivered shortly before the connection broke is sent again.
// Within a topic messages go out in order, one at a time. When the spool is full the oldest
// messages are dropped and counted. Main thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "edge/event_loop.hpp"
#include "edge/mqtt_link.hpp"
#include "store/database.hpp"

namespace andon::edge {

struct SpoolLimits {
  std::uint64_t max_bytes = 64U << 20U;
  std::chrono::milliseconds first_retry{500};
  std::chrono::milliseconds longest_retry{5000};
  // Delivered messages are kept for so long, beside max_bytes, for a connection that breaks.
  std::chrono::milliseconds resend_window{10'000};
};

class PublishSpool {
 public:
  PublishSpool(EventLoop& loop, MqttLink& link, store::Database& database, const base::Clock& clock,
               SpoolLimits limits = {});
  PublishSpool(const PublishSpool&) = delete;
  PublishSpool& operator=(const PublishSpool&) = delete;
  ~PublishSpool();

  // The message is on the disk when this returns. Throws resource_exhausted for one that is larger
  // than the whole spool.
  void add(const wire::MqttMessage& message, const wire::MqttPublishProperties& properties);

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // waiting
  [[nodiscard]] std::int64_t dropped() const;                   // since the device was set up

 private:
  struct Topic {
    bool in_flight = false;
    EventLoop::TimerId retry = 0;
    std::chrono::milliseconds wait{0};
  };

  void make_room(store::Transaction& transaction, std::uint64_t needed);
  void send_next(const std::string& topic);
  void on_outcome(const std::string& topic, std::int64_t id, std::uint64_t size,
                  wire::PublishOutcome outcome);
  void mark_delivered(std::int64_t id, std::uint64_t size);
  void take_back_recently_delivered();
  void count_waiting(store::Transaction& transaction);

  EventLoop& loop_;
  MqttLink& link_;
  store::Database& database_;
  const base::Clock& clock_;
  SpoolLimits limits_;
  std::uint64_t bytes_ = 0;
  std::map<std::string, Topic> topics_;  // that have messages waiting
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
