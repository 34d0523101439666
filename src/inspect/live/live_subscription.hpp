// SPDX-License-Identifier: Apache-2.0
// Hears over the agent what is asked of LiveFrames, from its beginning to its end.
#pragma once

#include <memory>
#include <mutex>

#include "inspect/live/live_frames.hpp"
#include "wire/ipc/ipc_client.hpp"

namespace andon::inspect {

class LiveSubscription {
 public:
  // Both outlive it. An agent that does not let this component listen is no error: the log says
  // so, and there are no live frames.
  LiveSubscription(wire::IpcClient& agent, LiveFrames& frames);
  LiveSubscription(const LiveSubscription&) = delete;
  LiveSubscription& operator=(const LiveSubscription&) = delete;
  ~LiveSubscription();

 private:
  struct Shared {
    std::mutex mutex;
    LiveFrames* frames;  // guarded by mutex; null at the end
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace andon::inspect
