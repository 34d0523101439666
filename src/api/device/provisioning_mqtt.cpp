// SPDX-License-Identifier: Apache-2.0
#include "api/device/provisioning_mqtt.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "api/device/provisioning_messages.hpp"
#include "base/log/log.hpp"
#include "fleet/provisioning/provisioning_message.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kMaxWaiting = 500;
constexpr std::size_t kMaxWaitingBytes = 8U << 20U;

}  // namespace

class ProvisioningMqtt::Implementation {
 public:
  Implementation(control::ControlPlane& control, control::Notifier& notifier,
                 control::AuditLog& audit, control::AskHook hook, wire::MqttClient& client)
      : hook_(std::move(hook)), parts_{control, notifier, audit, hook_}, client_(client) {
    for (std::size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { work(); });
    subscription_ =
        client_.subscribe(std::string(fleet::kQuestionFilter), wire::Qos::at_least_once,
                          [this](const wire::MqttMessage& message) { enqueue(message); });
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() {
    client_.unsubscribe(subscription_);
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void enqueue(const wire::MqttMessage& message) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() >= kMaxWaiting ||
          waiting_bytes_ + message.payload.size() > kMaxWaitingBytes) {
        base::log_warning("too many devices are provisioned at once: a question was dropped",
                          {{"topic", message.topic}});
        return;
      }
      waiting_bytes_ += message.payload.size();
      waiting_.push_back(message);
    }
    wake_.notify_one();
  }

  void work() {
    while (true) {
      wire::MqttMessage message;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return is_stopping_ || !waiting_.empty(); });
        if (is_stopping_) return;
        message = std::move(waiting_.front());
        waiting_.pop_front();
        waiting_bytes_ -= message.payload.size();
      }
      answer_provisioning(parts_, message.topic, message.payload);
    }
  }

  const control::AskHook hook_;
  const ProvisioningParts parts_;
  wire::MqttClient& client_;
  std::uint64_t subscription_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<wire::MqttMessage> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

ProvisioningMqtt::ProvisioningMqtt(control::ControlPlane& control, control::Notifier& notifier,
                                   control::AuditLog& audit, control::AskHook hook,
                                   wire::MqttClient& client)
    : implementation_(
          std::make_unique<Implementation>(control, notifier, audit, std::move(hook), client)) {}

ProvisioningMqtt::~ProvisioningMqtt() = default;

}  // namespace andon::api
