// SPDX-License-Identifier: Apache-2.0
#include "control/index/shadow_fields.hpp"

#include <span>
#include <utility>

#include "base/text/split.hpp"
#include "control/shared/sql_text.hpp"
#include "fleet/names/topic.hpp"

namespace andon::control {
namespace {

namespace json = base::json;

constexpr std::string_view kShadow = "shadow.";
constexpr std::string_view kName = "name.";

void add_leaves(const json::value& value, std::vector<std::string>& values) {
  if (const auto* const list = value.if_array()) {
    for (const json::value& item : *list) {
      if (!item.is_array()) add_leaves(item, values);
    }
  } else if (value.is_string()) {
    values.emplace_back(value.get_string());
  } else if (value.is_number() || value.is_bool()) {
    values.push_back(base::to_text(value));
  }
}

// What `path` leads to.
void add_values(const json::value& value, std::span<const std::string> path,
                std::vector<std::string>& values) {
  if (path.empty()) return add_leaves(value, values);
  if (const auto* const list = value.if_array()) {
    for (const json::value& item : *list) {
      if (!item.is_array()) add_values(item, path, values);
    }
    return;
  }
  const auto* const object = value.if_object();
  const auto* const inner = object == nullptr ? nullptr : object->if_contains(path.front());
  if (inner != nullptr) add_values(*inner, path.subspan(1), values);
}

}  // namespace

std::optional<ShadowField> read_shadow_field(std::string_view field) {
  if (!field.starts_with(kShadow)) return std::nullopt;
  field.remove_prefix(kShadow.size());
  ShadowField read;
  if (field.starts_with(kName)) {
    field.remove_prefix(kName.size());
    read.name = base::take_part(field, '.');
    if (read.name.empty() || !fleet::is_shadow_name(read.name)) return std::nullopt;
  }
  read.section = base::take_part(field, '.');
  if (read.section == "hasDelta" || read.section == "version") {
    return field.empty() ? std::optional(std::move(read)) : std::nullopt;
  }
  if (read.section != "reported" && read.section != "desired") return std::nullopt;
  if (field.empty()) return std::nullopt;
  for (const std::string_view part : base::split(field, '.')) {
    if (part.empty()) return std::nullopt;
    read.path.emplace_back(part);
  }
  return read;
}

std::vector<std::string> ShadowFields::values(const std::string& thing, const ShadowField& field) {
  if (!has_read_ || thing != thing_ || field.name != name_) {
    thing_ = thing;
    name_ = field.name;
    has_read_ = true;
    shadow_.reset();
    const auto row = tx_.query_one(
        "SELECT state, version FROM thing_shadows WHERE thing = $1 AND name = $2 AND deleted_ms IS "
        "NULL",
        {thing, field.name});
    if (row) {
      shadow_ = fleet::Shadow{
          .state = stored_object(row->text(0)), .metadata = {}, .version = row->integer(1)};
    }
  }
  if (!shadow_) return {};
  if (field.section == "version") return {std::to_string(shadow_->version)};
  if (field.section == "hasDelta") return {fleet::delta_of(*shadow_).empty() ? "false" : "true"};
  std::vector<std::string> values;
  if (const auto* const section = shadow_->state.if_contains(field.section)) {
    add_values(*section, field.path, values);
  }
  return values;
}

}  // namespace andon::control
