// SPDX-License-Identifier: Apache-2.0
#include "edge/builtin/nucleus_settings.hpp"

#include <utility>

#include "base/json/json.hpp"
#include "base/json/json_members.hpp"
#include "base/json/json_reader.hpp"

namespace andon::edge {
NucleusSettings::NucleusSettings(std::string enrolled_alias)
    : enrolled_alias_(std::move(enrolled_alias)), alias_(enrolled_alias_) {}

bool NucleusSettings::take(const base::json::object* configuration) {
  std::string wanted =
      configuration == nullptr ? std::string() : base::text_at(*configuration, "iotRoleAlias");
  if (wanted.empty()) wanted = enrolled_alias_;
  const std::scoped_lock lock(mutex_);
  return std::exchange(alias_, wanted) != wanted;
}

std::string NucleusSettings::role_alias() const {
  const std::scoped_lock lock(mutex_);
  return alias_;
}

recipe::RunWith run_with_default_of(const base::json::object& configuration) {
  const auto* const run_with = configuration.if_contains("runWithDefault");
  if (run_with == nullptr || !run_with->is_object()) return {};
  recipe::RunWith given{.posix_user = base::text_at(run_with->get_object(), "posixUser")};
  const base::JsonReader reader(*run_with, "runWithDefault");
  if (reader.has("systemResourceLimits")) {
    given.limits = recipe::parse_resource_limits(reader.child("systemResourceLimits"));
  }
  return given;
}

}  // namespace andon::edge
