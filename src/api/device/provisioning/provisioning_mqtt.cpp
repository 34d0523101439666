// SPDX-License-Identifier: Apache-2.0
#include "api/device/provisioning/provisioning_mqtt.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "api/device/provisioning/provisioning_messages.hpp"
#include "api/device/provisioning/provisioning_queue.hpp"
#include "base/log/log.hpp"
#include "fleet/provisioning/provisioning_message.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::uint64_t kToldDrops = 1000;  // of so many one is told

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
    bool is_kept = false;
    {
      const std::lock_guard lock(mutex_);
      is_kept = queue_.add(message);
    }
    if (is_kept) return wake_.notify_one();
    if (dropped_++ % kToldDrops == 0) {
      base::log_warning("too many devices are provisioned at once: a question was dropped",
                        {{"topic", message.topic}});
    }
  }

  void work() {
    std::optional<ProvisioningQueue::Question> question;
    while (true) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] {
          if (!is_stopping_) question = queue_.take();
          return is_stopping_ || question;
        });
        if (is_stopping_) return;
      }
      answer_provisioning(parts_, question->message.topic, question->message.payload);
      {
        const std::lock_guard lock(mutex_);
        queue_.done(*question);
      }
      wake_.notify_all();  // what waited for this one's share may be anybody's now
    }
  }

  const control::AskHook hook_;
  const ProvisioningParts parts_;
  wire::MqttClient& client_;
  std::uint64_t subscription_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  ProvisioningQueue queue_{kThreads};  // guarded by mutex_
  std::uint64_t dropped_ = 0;          // of the network thread
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
