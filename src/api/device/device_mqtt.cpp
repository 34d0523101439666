// SPDX-License-Identifier: Apache-2.0
#include "api/device/device_mqtt.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "api/device/device_messages.hpp"
#include "base/log/log.hpp"
#include "control/shared/background_worker.hpp"
#include "fleet/names/topic.hpp"

namespace andon::api {
namespace {

constexpr const char* kPresenceFilter = "$aws/events/presence/+/+";  // who came and went
constexpr std::string_view kForget = "forget who is there";          // no topic: our own
// A fleet that is deployed to at once says several things a device within a second.
constexpr std::size_t kMaxWaiting = 50'000;
constexpr std::size_t kMaxWaitingBytes = 32U << 20U;
constexpr std::chrono::seconds kExpiryInterval{30};
constexpr std::size_t kMaxUnanswered = 1000;
// How long the notifier may have no room, or a wake be lost, before it is looked again.
constexpr std::chrono::milliseconds kServePause{200};

}  // namespace

void MqttNotifier::publish(const std::string& topic, const std::string& payload) {
  const std::lock_guard lock(mutex_);
  if (client_ == nullptr) return;
  ++unanswered_;
  client_->publish_async({topic, payload}, wire::Qos::at_least_once,
                         [this](wire::PublishOutcome) { --unanswered_; });
}

void MqttNotifier::publish_told(const std::string& topic, const std::string& payload,
                                std::function<void(bool)> told) {
  publish_told({topic, payload}, wire::Qos::at_least_once, {}, std::move(told));
}

void MqttNotifier::publish_told(const wire::MqttMessage& message, wire::Qos qos,
                                const wire::MqttPublishProperties& properties,
                                std::function<void(bool)> told) {
  const std::lock_guard lock(mutex_);
  if (client_ == nullptr) {
    told(false);
    return;
  }
  client_->publish_async(
      message, qos,
      [told = std::move(told)](wire::PublishOutcome outcome) {
        told(outcome == wire::PublishOutcome::delivered ||
             outcome == wire::PublishOutcome::no_subscribers);
      },
      properties);
}

bool MqttNotifier::has_room() const {
  const std::lock_guard lock(mutex_);
  return client_ != nullptr && client_->is_connected() && unanswered_ < kMaxUnanswered;
}

void MqttNotifier::set_client(wire::MqttClient* client) {
  const std::lock_guard lock(mutex_);
  client_ = client;
}

class DeviceMqtt::Implementation {
 public:
  Implementation(control::ControlPlane& control, control::ResultIntake& results,
                 control::Notifier& notifier, const base::Clock& clock, wire::MqttClient& client,
                 std::optional<fleet::ServerAddresses> addresses, std::function<void()> progressed)
      : control_(control),
        notifier_(notifier),
        clock_(clock),
        client_(client),
        addresses_(std::move(addresses)),
        progressed_(std::move(progressed)) {
    worker_ = std::thread([this] { work(); });
    control_.outbox.set_listener([this] { server_of_devices_.wake(); });
    control_.jobs.repeat_pending();
    enqueue({.topic = std::string(kForget), .payload = {}});
    for (const std::string& filter : fleet::device_topic_filters()) {
      subscriptions_.push_back(
          client_.subscribe(filter, wire::Qos::at_least_once,
                            [this](const wire::MqttMessage& message) { enqueue(message); }));
    }
    subscriptions_.push_back(
        client_.subscribe(kPresenceFilter, wire::Qos::at_least_once,
                          [this](const wire::MqttMessage& message) { enqueue(message); }));
    subscriptions_.push_back(
        client_.subscribe(std::string(fleet::kPresentTopic), wire::Qos::at_least_once,
                          [this](const wire::MqttMessage& message) { enqueue(message); }));
    subscriptions_.push_back(client_.subscribe(fleet::results_filter(), wire::Qos::at_least_once,
                                               [&results](const wire::MqttMessage& message) {
                                                 const auto thing =
                                                     fleet::thing_of_results(message.topic);
                                                 if (thing) results.take(*thing, message.payload);
                                               }));
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  ~Implementation() {
    control_.outbox.set_listener(nullptr);
    for (const std::uint64_t id : subscriptions_) client_.unsubscribe(id);
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    wake_.notify_one();
    worker_.join();
  }

  // The broker tells who is there when it has got the subscription to kPresentTopic again.
  void begin_anew() {
    enqueue({.topic = std::string(kForget), .payload = {}});
    control_.jobs.repeat_pending();
  }

 private:
  void enqueue(const wire::MqttMessage& message) {
    {
      const std::lock_guard lock(mutex_);
      if (is_full(message)) make_room();
      if (is_full(message)) {
        base::log_warning("too many messages from devices: one was dropped",
                          {{"topic", message.topic}});
        return;
      }
      waiting_bytes_ += message.payload.size();
      waiting_.push_back(message);
    }
    wake_.notify_one();
  }

  [[nodiscard]] bool is_full(const wire::MqttMessage& message) const {
    return waiting_.size() >= kMaxWaiting ||
           waiting_bytes_ + message.payload.size() > kMaxWaitingBytes;
  }

  // A newer message of health or figures says more than the oldest one, and a job's answer more
  // than either.
  void make_room() {
    const auto oldest = std::find_if(
        waiting_.begin(), waiting_.end(),
        [](const wire::MqttMessage& message) { return is_status_topic(message.topic); });
    if (oldest == waiting_.end()) return;
    waiting_bytes_ -= oldest->payload.size();
    waiting_.erase(oldest);
  }

  void work() {
    auto next_expiry = std::chrono::steady_clock::now() + kExpiryInterval;
    while (true) {
      std::optional<wire::MqttMessage> message;
      {
        std::unique_lock lock(mutex_);
        wake_.wait_until(lock, next_expiry, [&] { return is_stopping_ || !waiting_.empty(); });
        if (is_stopping_) return;
        if (!waiting_.empty()) {
          message = std::move(waiting_.front());
          waiting_.pop_front();
          waiting_bytes_ -= message->payload.size();
        }
      }
      if (message && message->topic == kForget) {
        attempt([&] { control_.core_devices.forget_presence(); });
      } else if (message && message->topic == fleet::kPresentTopic) {
        attempt([&] { control_.core_devices.note_present(message->payload); });
      } else if (message && wire::topic_matches(kPresenceFilter, message->topic)) {
        attempt([&] { control_.core_devices.note_presence(message->payload); });
      } else if (message) {
        handle_device_message(control_, notifier_, clock_, message->topic, message->payload,
                              addresses_ ? &*addresses_ : nullptr, progressed_);
      }
      if (std::chrono::steady_clock::now() >= next_expiry) {
        attempt([&] { control_.jobs.expire(); });
        attempt([&] { control_.iot_jobs.expire(); });
        next_expiry = std::chrono::steady_clock::now() + kExpiryInterval;
      }
    }
  }

  // The database may be busy or the disk full for a while; the worker goes on.
  template <typename Act>
  void attempt(Act act) {
    try {
      act();
    } catch (const std::exception& error) {
      base::log_error("work for devices failed", {{"error", error.what()}});
    }
  }

  control::ControlPlane& control_;
  control::Notifier& notifier_;
  const base::Clock& clock_;
  wire::MqttClient& client_;
  const std::optional<fleet::ServerAddresses> addresses_;
  const std::function<void()> progressed_;
  std::vector<std::uint64_t> subscriptions_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<wire::MqttMessage> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool is_stopping_ = false;
  std::thread worker_;
  control::BackgroundWorker server_of_devices_{
      "telling devices", [this] { return control_.serve_devices(); }, kServePause};
};

DeviceMqtt::DeviceMqtt(control::ControlPlane& control, control::ResultIntake& results,
                       control::Notifier& notifier, const base::Clock& clock,
                       wire::MqttClient& client, std::optional<fleet::ServerAddresses> addresses,
                       std::function<void()> progressed)
    : implementation_(std::make_unique<Implementation>(
          control, results, notifier, clock, client, std::move(addresses), std::move(progressed))) {
}

DeviceMqtt::~DeviceMqtt() = default;

void DeviceMqtt::on_connected() {
  implementation_->begin_anew();
}

}  // namespace andon::api
