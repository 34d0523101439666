// SPDX-License-Identifier: Apache-2.0
// What the configuration of aws.greengrass.Nucleus says to the agent. Owned by the agent; set on
// its loop, read by any thread.
#pragma once

#include <mutex>
#include <string>

#include "base/json/fwd.hpp"
#include "recipe/deployment/deployment_document.hpp"

namespace andon::edge {

class NucleusSettings {
 public:
  // `enrolled_alias`: the role alias that the device was enrolled with, which counts where the
  // configuration has none.
  explicit NucleusSettings(std::string enrolled_alias);

  // The configuration as it is now; null where the component is not in the set. Whether the role
  // alias is another one than before.
  bool take(const base::json::object* configuration);
  // What the token exchange asks credentials of.
  [[nodiscard]] std::string role_alias() const;

 private:
  const std::string enrolled_alias_;
  mutable std::mutex mutex_;
  std::string alias_;  // guarded by mutex_
};

// runWithDefault: its posixUser and its systemResourceLimits, each empty where there is none.
// Throws invalid_argument for limits that are none.
[[nodiscard]] recipe::RunWith run_with_default_of(const base::json::object& configuration);

}  // namespace andon::edge
