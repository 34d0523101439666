// SPDX-License-Identifier: Apache-2.0
#include "control/shared/thing_rules.hpp"

#include <algorithm>
#include <string_view>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/id.hpp"
#include "control/shared/arn.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kReserved = "andon-";

bool is_attribute_text(std::string_view text, std::string_view extra) {
  return text.empty() || base::is_name_of(text, extra);
}

}  // namespace

void check_thing_name(const std::string& name) {
  if (!is_thing_name(name)) {
    throw Error(ErrorCode::invalid_argument,
                "thingName: must be 1 to 128 letters, digits, ':', '_' and '-'");
  }
  if (name.starts_with(kReserved)) {
    throw Error(ErrorCode::invalid_argument,
                "thingName: names that start with \"andon-\" are the server's own; take another");
  }
}

void check_group_name(const std::string& name) {
  if (!is_thing_name(name)) {
    throw Error(ErrorCode::invalid_argument,
                "thingGroupName: must be 1 to 128 letters, digits, ':', '_' and '-'");
  }
}

void check_attributes(const std::map<std::string, std::string>& attributes) {
  constexpr std::size_t kMaxAttributes = 50;
  if (attributes.size() > kMaxAttributes) {
    throw Error(ErrorCode::invalid_argument, "attributes: at most 50");
  }
  for (const auto& [key, value] : attributes) {
    if (key.empty() || key.size() > 128 || !is_attribute_text(key, "_.,@/:#-")) {
      throw Error(ErrorCode::invalid_argument,
                  "attributes: a name must have 1 to 128 letters, digits or _.,@/:#-");
    }
    if (value.size() > 800 || !is_attribute_text(value, "_.,@/:#=[]-")) {
      throw Error(ErrorCode::invalid_argument,
                  "attributes." + key + ": must have at most 800 letters, digits or _.,@/:#=[]-");
    }
  }
}

void insert_thing(store::Transaction& tx, const std::string& name,
                  const std::map<std::string, std::string>& attributes,
                  const std::string& type_name, base::Timestamp now) {
  tx.execute(
      "INSERT INTO things (name, id, type_name, attributes, version, created_ms) "
      "VALUES ($1, $2, $3, $4, 1, $5)",
      {name, base::random_uuid(), type_name, to_stored(attributes), to_stored(now)});
}

}  // namespace andon::control
