// SPDX-License-Identifier: Apache-2.0
#include "edge/secrets/secret_settings.hpp"

#include <algorithm>

#include "base/json/json_reader.hpp"

namespace andon::edge {
namespace {

constexpr std::int64_t kLongestPeriod = 7L * 24 * 60;  // minutes
constexpr std::size_t kMostIdBytes = 2'048;
constexpr std::size_t kMostLabelBytes = 256;

const base::JsonReading kReading{.texts = base::JsonReading::Texts::as_values};

}  // namespace

SecretSettings read_secret_settings(const base::json::object& configuration) {
  SecretSettings settings;
  const base::JsonReader all(configuration, "", kReading);
  if (const auto minutes = all.optional_integer("periodicRefreshIntervalMin", 1, kLongestPeriod)) {
    settings.period = std::chrono::minutes(*minutes);
  }
  std::size_t count = 0;
  for (const base::JsonReader& wanted : all.children("cloudSecrets")) {
    const std::string id = wanted.required_text("arn");
    if (id.size() > kMostIdBytes) wanted.fail("arn", "has more than 2,048 bytes");
    std::vector<std::string>& labels = settings.secrets[id];
    if (labels.empty()) labels.emplace_back(kCurrentStage);
    for (const std::string& label : wanted.strings("labels", SecretSettings::kMost + 1)) {
      if (label.empty() || label.size() > kMostLabelBytes) {
        wanted.fail("labels", "each has 1 to 256 bytes");
      }
      if (std::ranges::find(labels, label) == labels.end()) labels.push_back(label);
    }
    count += labels.size();
    if (count > SecretSettings::kMost) {
      all.fail("cloudSecrets", "a device keeps at most " + std::to_string(SecretSettings::kMost) +
                                   " secrets, each label counted");
    }
  }
  return settings;
}

}  // namespace andon::edge
