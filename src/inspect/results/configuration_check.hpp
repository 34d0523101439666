// SPDX-License-Identifier: Apache-2.0
// Answers the agent when it asks, before a deployment changes anything, whether this program can
// use the configuration that it would get. `check` runs on the agent's thread and throws
// base::Error with the reason where it cannot; none runs any more when this object is gone.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/json/json.hpp"
#include "wire/ipc/ipc_client.hpp"

namespace andon::inspect {

class ConfigurationCheck {
 public:
  using Check = std::function<void(const base::json::value& configuration)>;

  // An agent that does not ask such questions is no error: its deployments go on without.
  ConfigurationCheck(wire::IpcClient& agent, Check check);
  ConfigurationCheck(const ConfigurationCheck&) = delete;
  ConfigurationCheck& operator=(const ConfigurationCheck&) = delete;
  // Waits for a check in hand.
  ~ConfigurationCheck();

 private:
  struct Shared {
    std::mutex mutex;
    Check check;  // guarded by mutex; empty at the end
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

// What the agent is told: {"status": "REJECTED", "deploymentId": ..., "message": ...}.
[[nodiscard]] base::json::object validity_report(const base::json::object& event,
                                                 const ConfigurationCheck::Check& check);

}  // namespace andon::inspect
