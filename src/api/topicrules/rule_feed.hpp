// SPDX-License-Identifier: Apache-2.0
// Brings messages of the broker to topic rules: subscribes to the filters of those that are
// enabled, and writes what they make of each message as deliveries, many in one transaction. What
// comes faster than it can be written waits in a bounded queue; beyond it the newest is dropped and
// counted. Owned by the server; from run() to stop() it has a thread of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "api/topicrules/republished.hpp"
#include "base/time/time.hpp"
#include "events/delivery/queue.hpp"
#include "events/topicrules/rule_matcher.hpp"
#include "wire/mqtt/mqtt_client.hpp"

namespace andon::api {

class RuleFeed {
 public:
  static constexpr std::size_t kMostWaiting = 10'000;
  static constexpr std::size_t kMostWaitingBytes = 32U << 20U;

  struct Parts {
    const events::TopicRules& rules;
    events::EventQueue& queue;
    const Republished& republished;
    const base::Clock& clock;
    std::function<void()> delivered;  // there is something to send
  };
  explicit RuleFeed(Parts parts);
  RuleFeed(const RuleFeed&) = delete;
  RuleFeed& operator=(const RuleFeed&) = delete;
  ~RuleFeed();

  // `client` must outlive stop().
  void run(wire::MqttClient& client);
  // Finishes the messages in hand.
  void stop();
  // Rules have changed. Any thread.
  void wake();

  struct Counts {
    std::uint64_t taken = 0;    // messages that a rule was asked about
    std::uint64_t dropped = 0;  // for want of room
    std::uint64_t failed = 0;   // rules that could make nothing of a message
  };
  [[nodiscard]] Counts counts() const { return {taken_.load(), dropped_.load(), failed_.load()}; }

 private:
  void take(const std::string& filter, const wire::MqttMessage& message);
  void work();
  void follow_rules();
  // Those that are written are taken out.
  void write(std::deque<events::RuleMatcher::Message>& messages);

  const Parts parts_;
  wire::MqttClient* client_ = nullptr;
  events::RuleMatcher matcher_;                         // of the thread
  std::uint64_t revision_ = 0;                          // of the thread
  std::map<std::string, std::uint64_t> subscriptions_;  // by filter; of the thread
  std::atomic<std::uint64_t> taken_{0}, dropped_{0}, failed_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<events::RuleMatcher::Message> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool is_woken_ = true;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace andon::api
