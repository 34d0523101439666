// SPDX-License-Identifier: Apache-2.0
// What of the component store a device may see: components that its deployments reach, and the
// artifacts of the versions that the server handed it. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

class DeviceAccess {
 public:
  DeviceAccess(store::Database& database, const base::Clock& clock)
      : database_(database), clock_(clock) {}

  // Is `component` a root of a deployment for `thing`, or a dependency of one, or has it had it
  // before?
  [[nodiscard]] bool may_resolve(const std::string& thing, const std::string& component) const;
  // Remembers that `thing` was given this version's recipe, so it may have the artifacts.
  void grant(const std::string& thing, const std::string& component, const std::string& version);
  // Forgets up to `limit` grants of a component version that is no longer there; answers how many.
  std::int64_t remove_useless(std::int64_t limit);
  [[nodiscard]] bool may_fetch(const std::string& thing, const std::string& component,
                               const std::string& version) const;
  [[nodiscard]] bool may_fetch_blob(const std::string& thing, const std::string& sha256) const;

 private:
  store::Database& database_;
  const base::Clock& clock_;
};

}  // namespace andon::control
