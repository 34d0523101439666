// SPDX-License-Identifier: Apache-2.0
// What a deployment is to have: what runs on the target now, changed by what was asked for. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json/json.hpp"

namespace andon::cli {

// Of CreateDeployment: {name: {componentVersion, configurationUpdate: {merge, reset}, runWith}}.
class DeploymentPlan {
 public:
  explicit DeploymentPlan(base::json::object components) : components_(std::move(components)) {}

  void put(const std::string& component, const std::string& version);
  // Throws not_found where it is not among them.
  void remove(const std::string& component);
  // "COMPONENT:KEY=VALUE"; dots of KEY lead into objects; VALUE is JSON where it can be read as
  // such, else a text. Throws UsageError for another form, and where the component is not among
  // them.
  void set(std::string_view assignment);
  void set(const std::string& component, std::string_view key, base::json::value value);
  // Those of a file: `merge` may be an object there, it need not be JSON as text.
  void put_all(const base::json::object& components);

  [[nodiscard]] bool has(std::string_view component) const {
    return components_.contains(component);
  }
  [[nodiscard]] const base::json::object& components() const { return components_; }

 private:
  base::json::object components_;
};

}  // namespace andon::cli
