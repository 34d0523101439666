// SPDX-License-Identifier: Apache-2.0
#include "control/index/index_settings.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "control/index/shadow_fields.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostSettingsBytes = 64U << 10U;
constexpr std::size_t kMostNamedShadows = 10;  // of AWS
constexpr std::string_view kWithShadows = "REGISTRY_AND_SHADOW";

json::object standard_settings() {
  return {{kThingSettings,
           {{"thingIndexingMode", "REGISTRY"},
            {"thingConnectivityIndexingMode", "STATUS"},
            {"deviceDefenderIndexingMode", "OFF"},
            {"namedShadowIndexingMode", "OFF"}}},
          {kGroupSettings, {{"thingGroupIndexingMode", "ON"}}}};
}

std::vector<std::string> named_shadows(const base::JsonReader& things) {
  const base::JsonReader filter = things.child_or_empty("filter");
  if (!filter.has("namedShadowNames")) return {};
  return filter.strings("namedShadowNames");
}

void require_one_of(const base::JsonReader& things, std::string_view member, bool is_needed,
                    std::initializer_list<std::string_view> words) {
  const auto given = things.optional_string(member);
  if (!given && !is_needed) return;
  if (given && std::ranges::find(words, *given) != words.end()) return;
  std::string all;
  for (const std::string_view word : words) all.append(all.empty() ? "" : ", ").append(word);
  things.fail(member, "must be one of " + all);
}

void check_things(const base::JsonReader& things) {
  require_one_of(things, "thingIndexingMode", true, {"OFF", "REGISTRY", kWithShadows});
  require_one_of(things, "namedShadowIndexingMode", false, {"OFF", "ON"});
  require_one_of(things, "thingConnectivityIndexingMode", false, {"OFF", "STATUS"});
  constexpr std::string_view kDefender = "deviceDefenderIndexingMode";
  if (things.optional_string(kDefender).value_or("OFF") != "OFF") {
    throw Error(ErrorCode::unsupported,
                things.place(kDefender) + ": must be OFF; this server does not search it");
  }
  if (named_shadows(things).size() > kMostNamedShadows) {
    things.fail("filter", "namedShadowNames has more than 10 names");
  }
}

}  // namespace

json::object read_index_settings(store::Transaction& tx) {
  const auto row = tx.query_one("SELECT settings FROM index_settings WHERE id = 1");
  return row ? stored_object(row->text(0)) : standard_settings();
}

json::object merge_index_settings(json::object merged, const json::object& given) {
  const base::JsonReader reader(given, "");
  if (reader.has(kThingSettings)) {
    check_things(reader.child(kThingSettings));
    merged[kThingSettings] = reader.child(kThingSettings).object();
  }
  if (reader.has(kGroupSettings)) {
    require_one_of(reader.child(kGroupSettings), "thingGroupIndexingMode", true, {"OFF", "ON"});
    merged[kGroupSettings] = reader.child(kGroupSettings).object();
  }
  if (base::to_text(merged).size() > kMostSettingsBytes) {
    throw Error(ErrorCode::invalid_argument, "the configuration has more than 64 KiB");
  }
  return merged;
}

void require_searched(const json::object& settings, const std::string& field) {
  const auto shadow = read_shadow_field(field);
  if (!shadow) return;
  const base::JsonReader things = base::JsonReader(settings, "").child(kThingSettings);
  if (shadow->name.empty()) {
    if (things.string("thingIndexingMode") == kWithShadows) return;
    throw Error(ErrorCode::invalid_argument,
                "\"" + field +
                    "\": shadows are not searched; UpdateIndexingConfiguration with "
                    "thingIndexingMode REGISTRY_AND_SHADOW switches it on");
  }
  const auto names = named_shadows(things);
  if (things.optional_string("namedShadowIndexingMode").value_or("OFF") == "ON" &&
      std::ranges::find(names, shadow->name) != names.end()) {
    return;
  }
  throw Error(ErrorCode::invalid_argument,
              "\"" + field + "\": the shadow \"" + shadow->name +
                  "\" is not searched; UpdateIndexingConfiguration with namedShadowIndexingMode ON "
                  "and its name in filter.namedShadowNames switches it on");
}

std::string_view thing_schema(const json::object& settings) {
  const base::JsonReader things = base::JsonReader(settings, "").child(kThingSettings);
  const bool has_shadows = things.string("thingIndexingMode") == kWithShadows;
  return has_shadows ? "REGISTRY_AND_SHADOW_AND_CONNECTIVITY_STATUS"
                     : "REGISTRY_AND_CONNECTIVITY_STATUS";
}

}  // namespace andon::control
