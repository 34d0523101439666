// SPDX-License-Identifier: Apache-2.0
#include "store/objects/lifecycle.hpp"

#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"

namespace andon::store {

namespace json = base::json;

std::string lifecycle_to_text(const std::vector<LifecycleRule>& rules) {
  json::array list;
  for (const LifecycleRule& rule : rules) {
    json::object item{{"id", rule.id}, {"enabled", rule.is_enabled}, {"prefix", rule.prefix}};
    json::object tags;
    for (const auto& [key, value] : rule.tags) tags[key] = value;
    item["tags"] = std::move(tags);
    const auto add = [&](const char* name, const std::optional<std::int64_t>& number) {
      if (number) item[name] = *number;
    };
    add("sizeGreaterThan", rule.size_greater_than);
    add("sizeLessThan", rule.size_less_than);
    add("expirationDays", rule.expiration_days);
    if (rule.expiration_date) item["expirationDate"] = base::to_epoch_millis(*rule.expiration_date);
    item["loneMarkers"] = rule.removes_lone_markers;
    add("noncurrentDays", rule.noncurrent_days);
    item["newerNoncurrent"] = rule.newer_noncurrent;
    add("abortUploadsDays", rule.abort_uploads_days);
    list.push_back(std::move(item));
  }
  return base::to_text(json::object{{"rules", std::move(list)}});
}

std::vector<LifecycleRule> lifecycle_from_text(std::string_view text) {
  const json::value value = base::parse_json(text, "lifecycle rules of a bucket");
  std::vector<LifecycleRule> rules;
  for (const base::JsonReader& item : base::JsonReader(value, "").children("rules")) {
    LifecycleRule rule{.id = item.string("id"),
                       .is_enabled = item.optional_bool("enabled").value_or(false),
                       .prefix = item.string("prefix"),
                       .tags = item.string_map("tags"),
                       .size_greater_than = item.optional_integer("sizeGreaterThan"),
                       .size_less_than = item.optional_integer("sizeLessThan"),
                       .expiration_days = item.optional_integer("expirationDays"),
                       .expiration_date = {},
                       .removes_lone_markers = item.optional_bool("loneMarkers").value_or(false),
                       .noncurrent_days = item.optional_integer("noncurrentDays"),
                       .newer_noncurrent = item.optional_integer("newerNoncurrent").value_or(0),
                       .abort_uploads_days = item.optional_integer("abortUploadsDays")};
    if (const auto date = item.optional_integer("expirationDate")) {
      rule.expiration_date = base::from_epoch_millis(*date);
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace andon::store
