// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/exports/waiting_publish.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/error/error.hpp"

namespace andon::edge {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kPublishTimeout{30};
constexpr std::chrono::milliseconds kLookAgain{100};

// What a thread waits for while the loop publishes for it.
struct Publication {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<wire::PublishOutcome> outcome;  // guarded by mutex
  std::string refusal;                          // guarded by mutex
};

void end(Publication& publication, wire::PublishOutcome outcome, std::string refusal = {}) {
  {
    const std::lock_guard lock(publication.mutex);
    publication.outcome = outcome;
    publication.refusal = std::move(refusal);
  }
  publication.changed.notify_one();
}

}  // namespace

wire::PublishOutcome publish_and_wait(EventLoop& loop, MqttLink& link,
                                      const std::function<void(const std::string&)>& may_publish,
                                      const wire::MqttMessage& message, wire::Qos qos, bool retain,
                                      const std::atomic<bool>& cancelled) {
  const auto publication = std::make_shared<Publication>();
  loop.post([&link, may_publish, message, qos, retain, publication] {
    try {
      may_publish(message.topic);
      wire::MqttPublishProperties properties;
      properties.retain = retain;
      link.publish(
          message, qos, [publication](wire::PublishOutcome outcome) { end(*publication, outcome); },
          properties);
    } catch (const base::Error& error) {
      end(*publication, wire::PublishOutcome::refused, error.message());
    }
  });
  const auto deadline = steady_clock::now() + kPublishTimeout;
  std::unique_lock lock(publication->mutex);
  while (!publication->outcome && !cancelled && steady_clock::now() < deadline) {
    publication->changed.wait_for(lock, kLookAgain);
  }
  if (!publication->refusal.empty()) {
    throw base::Error(base::ErrorCode::permission_denied, publication->refusal);
  }
  return publication->outcome.value_or(wire::PublishOutcome::timed_out);
}

}  // namespace andon::edge
