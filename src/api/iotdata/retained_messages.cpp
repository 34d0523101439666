// SPDX-License-Identifier: Apache-2.0
#include "api/iotdata/retained_messages.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/id.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::milliseconds kStep{3'000};  // of three: connected, subscribed, all there

// Shared with handlers on the network thread.
struct Found {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<wire::MqttMessage> messages;
  std::size_t bytes = 0;
  bool is_all = false;
  bool is_too_much = false;
};

[[noreturn]] void give_up(const char* what) {
  throw Error(ErrorCode::unavailable,
              std::string("the MQTT broker has not ") + what + " in time; ask again");
}

}  // namespace

std::vector<wire::MqttMessage> RetainedMessages::read(const std::string& filter) {
  const std::lock_guard lock(one_at_a_time_);
  const std::string id = base::random_uuid();
  const std::string end_topic = "andon/broker/retained/" + id;
  wire::MqttOptions options = options_;
  options.client_id += "#" + id;
  const auto found = std::make_shared<Found>();
  wire::MqttClient client(std::move(options));
  if (!client.wait_connected(kStep)) give_up("let the server in");
  client.subscribe(end_topic, wire::Qos::at_least_once, [found](const wire::MqttMessage&) {
    const std::lock_guard guard(found->mutex);
    found->is_all = true;
    found->changed.notify_all();
  });
  const std::uint64_t subscription =
      client.subscribe(filter, wire::Qos::at_least_once, [found](const wire::MqttMessage& message) {
        if (!message.is_retained) return;
        const std::lock_guard guard(found->mutex);
        found->bytes += message.topic.size() + message.payload.size();
        found->is_too_much = found->bytes > kMostBytes || found->messages.size() >= kMost;
        if (!found->is_too_much) found->messages.push_back(message);
      });
  if (!client.wait_subscribed(subscription, kStep)) give_up("granted a subscription");
  // The broker has what it keeps on its way before it takes this.
  client.publish_async({end_topic, ""}, wire::Qos::at_least_once, [](wire::PublishOutcome) {});
  std::unique_lock guard(found->mutex);
  if (!found->changed.wait_for(guard, kStep, [&] { return found->is_all; })) {
    give_up("sent all that it keeps");
  }
  if (found->is_too_much) {
    throw Error(ErrorCode::resource_exhausted,
                "the broker keeps more messages than can be listed here");
  }
  return std::move(found->messages);
}

}  // namespace andon::api
