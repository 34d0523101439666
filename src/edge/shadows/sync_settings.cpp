// SPDX-License-Identifier: Apache-2.0
#include "edge/shadows/sync_settings.hpp"

#include <array>
#include <string_view>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "fleet/names/arn.hpp"
#include "fleet/names/topic.hpp"

namespace andon::edge {
namespace {

constexpr std::int64_t kUsualPeriod = 300;
constexpr std::int64_t kLongestPeriod = 86'400;

const base::JsonReading kReading{.texts = base::JsonReading::Texts::as_values};

void add_shadows(SyncSettings& settings, const base::JsonReader& document,
                 const std::string& thing) {
  if (!fleet::is_thing_name(thing)) document.fail("thingName", "is no name of a thing");
  if (document.optional_bool("classic").value_or(true)) settings.shadows.emplace(thing, "");
  for (const std::string& name : document.strings("namedShadows", SyncSettings::kMost + 1)) {
    if (name.empty() || !fleet::is_shadow_name(name) || name == fleet::kDeploymentShadow) {
      document.fail("namedShadows", "'" + name.substr(0, 64) + "' is no name of a shadow");
    }
    settings.shadows.emplace(thing, name);
  }
  if (settings.shadows.size() > SyncSettings::kMost) {
    document.fail("namedShadows", "a device keeps at most " + std::to_string(SyncSettings::kMost) +
                                      " shadows the same as the server's");
  }
}

}  // namespace

SyncSettings read_sync_settings(const base::json::object& configuration,
                                const std::string& core_thing) {
  using Direction = std::pair<std::string_view, SyncDirection>;
  static constexpr std::array kDirections{Direction{"betweenDeviceAndCloud", SyncDirection::both},
                                          Direction{"deviceToCloud", SyncDirection::to_server},
                                          Direction{"cloudToDevice", SyncDirection::to_device}};
  using Strategy = std::pair<std::string_view, bool>;
  static constexpr std::array kStrategies{Strategy{"realTime", false}, Strategy{"periodic", true}};
  SyncSettings settings;
  const base::JsonReader all(configuration, "", kReading);
  const base::JsonReader strategy = all.child_or_empty("strategy");
  if (strategy.choice("type", kStrategies).value_or(false)) {
    settings.period = std::chrono::seconds(
        strategy.optional_integer("delay", 1, kLongestPeriod).value_or(kUsualPeriod));
  }
  const base::JsonReader synchronize = all.child_or_empty("synchronize");
  settings.direction = synchronize.choice("direction", kDirections).value_or(SyncDirection::both);
  if (synchronize.has("coreThing")) {
    add_shadows(settings, synchronize.child("coreThing"), core_thing);
  }
  for (const base::JsonReader& document : synchronize.children("shadowDocuments")) {
    add_shadows(settings, document, document.required_text("thingName"));
  }
  if (const auto* const map = synchronize.optional_object("shadowDocumentsMap")) {
    const base::JsonReader documents(*map, "synchronize.shadowDocumentsMap", kReading);
    for (const auto& [thing, value] : *map) {
      add_shadows(settings, documents.child(thing), std::string(thing));
    }
  }
  return settings;
}

}  // namespace andon::edge
