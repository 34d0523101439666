// SPDX-License-Identifier: Apache-2.0
#include "inspect/live/live_subscription.hpp"

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::inspect {

LiveSubscription::LiveSubscription(wire::IpcClient& agent, LiveFrames& frames) {
  shared_->frames = &frames;
  try {
    agent.subscribe("SubscribeToTopic", {{"topic", kLiveAskTopic}},
                    [shared = shared_](const base::json::object& event) {
                      const std::lock_guard lock(shared->mutex);
                      if (shared->frames != nullptr) shared->frames->ask(event);
                    });
  } catch (const base::Error& error) {
    base::log_info("there are no live frames", {{"why", error.message()}});
  }
}

LiveSubscription::~LiveSubscription() {
  const std::lock_guard lock(shared_->mutex);
  shared_->frames = nullptr;
}

}  // namespace andon::inspect
