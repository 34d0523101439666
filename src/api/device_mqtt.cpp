// SPDX-License-Identifier: Apache-2.0
#include "api/device_mqtt.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "api/device_messages.hpp"
#include "base/log.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kMaxWaiting = 2000;
constexpr std::size_t kMaxWaitingBytes = 16U << 20U;
constexpr std::chrono::seconds kExpiryInterval{30};

}  // namespace

void MqttNotifier::publish(const std::string& topic, const std::string& payload) {
  const std::lock_guard lock(mutex_);
  if (client_ == nullptr) return;
  client_->publish_async({topic, payload}, wire::Qos::at_least_once, {});
}

void MqttNotifier::set_client(wire::MqttClient* client) {
  const std::lock_guard lock(mutex_);
  client_ = client;
}

class DeviceMqtt::Implementation {
 public:
  Implementation(control::ControlPlane& control, control::Notifier& notifier,
                 const base::Clock& clock, wire::MqttClient& client)
      : control_(control), notifier_(notifier), clock_(clock), client_(client) {
    worker_ = std::thread([this] { work(); });
    for (const std::string& filter : device_topic_filters()) {
      subscriptions_.push_back(
          client_.subscribe(filter, wire::Qos::at_least_once,
                            [this](const wire::MqttMessage& message) { enqueue(message); }));
    }
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  ~Implementation() {
    for (const std::uint64_t id : subscriptions_) client_.unsubscribe(id);
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    wake_.notify_one();
    worker_.join();
  }

  void repeat_notifications() {
    {
      const std::lock_guard lock(mutex_);
      must_repeat_ = true;
    }
    wake_.notify_one();
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

  // A newer health message says more than the oldest one, and a job's answer more than either.
  void make_room() {
    const auto oldest = std::find_if(
        waiting_.begin(), waiting_.end(),
        [](const wire::MqttMessage& message) { return is_health_topic(message.topic); });
    if (oldest == waiting_.end()) return;
    waiting_bytes_ -= oldest->payload.size();
    waiting_.erase(oldest);
  }

  void work() {
    auto next_expiry = std::chrono::steady_clock::now() + kExpiryInterval;
    while (true) {
      std::optional<wire::MqttMessage> message;
      bool must_repeat = false;
      {
        std::unique_lock lock(mutex_);
        wake_.wait_until(lock, next_expiry,
                         [&] { return is_stopping_ || must_repeat_ || !waiting_.empty(); });
        if (is_stopping_) return;
        must_repeat = std::exchange(must_repeat_, false);
        if (!waiting_.empty()) {
          message = std::move(waiting_.front());
          waiting_.pop_front();
          waiting_bytes_ -= message->payload.size();
        }
      }
      if (must_repeat) attempt([&] { control_.jobs.notify_all_pending(); });
      if (message) {
        handle_device_message(control_, notifier_, clock_, message->topic, message->payload);
      }
      if (std::chrono::steady_clock::now() >= next_expiry) {
        attempt([&] { control_.jobs.expire(); });
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
  std::vector<std::uint64_t> subscriptions_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<wire::MqttMessage> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool must_repeat_ = true;
  bool is_stopping_ = false;
  std::thread worker_;
};

DeviceMqtt::DeviceMqtt(control::ControlPlane& control, control::Notifier& notifier,
                       const base::Clock& clock, wire::MqttClient& client)
    : implementation_(std::make_unique<Implementation>(control, notifier, clock, client)) {}

DeviceMqtt::~DeviceMqtt() = default;

void DeviceMqtt::on_connected() {
  implementation_->repeat_notifications();
}

}  // namespace andon::api
