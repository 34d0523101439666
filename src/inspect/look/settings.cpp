// SPDX-License-Identifier: Apache-2.0
#include "inspect/look/settings.hpp"

#include <fmt/format.h>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "inspect/results/result.hpp"

namespace andon::inspect {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

// A number may be a text and an empty text is no member: so configuration comes from a deployment.
const base::JsonReading kReading{.places = base::JsonReading::Places::as_pointer,
                                 .texts = base::JsonReading::Texts::as_values,
                                 .empty_is_absent = true};

double fraction(const base::JsonReader& section, std::string_view key, double otherwise) {
  const double value = section.optional_number(key).value_or(otherwise);
  if (!(value >= 0 && value <= 1)) {
    section.fail(key, fmt::format("is {}, not within 0 and 1", value));
  }
  return value;
}

std::int64_t count(const base::JsonReader& section, std::string_view key, std::int64_t otherwise) {
  const double value = section.optional_number(key).value_or(static_cast<double>(otherwise));
  constexpr double kMost = 1e15;
  if (!(value >= 0 && value <= kMost)) {
    section.fail(key, fmt::format("is {}, not 0 to 1e15", value));
  }
  return static_cast<std::int64_t>(value);
}

AnomalySettings read_anomaly(const base::JsonReader& section, const AnomalySettings& defaults) {
  AnomalySettings anomaly;
  const std::int64_t side = count(section, "mapSide", defaults.map_side);
  if (side > kMaxMapSide) {
    section.fail("mapSide", fmt::format("is {}, more than {}", side, kMaxMapSide));
  }
  anomaly.map_side = static_cast<int>(side);
  const std::optional<double> low = section.optional_number("low");
  const std::optional<double> high = section.optional_number("high");
  anomaly.heat.low = low ? low : defaults.heat.low;
  anomaly.heat.high = high ? high : defaults.heat.high;
  const vision::HeatScale& heat = anomaly.heat;
  if (heat.low && heat.high && !(*heat.low < *heat.high)) {
    section.fail("low", fmt::format("is {}, not less than high ({})", *heat.low, *heat.high));
  }
  return anomaly;
}

}  // namespace

Settings read_settings(const json::value& configuration, const Settings& defaults) {
  if (!configuration.is_object()) {
    throw Error(ErrorCode::invalid_argument, "the configuration is not an object");
  }
  const base::JsonReader root(configuration.get_object(), "configuration member ", kReading);
  Settings settings = defaults;
  const std::string source =
      root.optional_string("source").value_or(root.optional_string("imageDirectory").value_or(""));
  if (!source.empty()) settings.sources = {source};
  settings.is_recursive = root.optional_bool("recursive").value_or(defaults.is_recursive);
  settings.model = root.optional_string("model").value_or(defaults.model.string());
  settings.topic = root.optional_string("topic").value_or(defaults.topic);
  settings.confidence = fraction(root, "confidence", defaults.confidence);
  settings.iou = fraction(root, "iou", defaults.iou);
  settings.anomaly = read_anomaly(root.child_or_empty("anomaly"), defaults.anomaly);
  if (root.has("verdict")) settings.verdict = read_verdict_rules(root.child("verdict"));
  settings.outputs = read_outputs(root);
  if (!settings.outputs.empty() && !settings.verdict) {
    root.fail("outputs", "are there and \"verdict\" is not: nothing would decide what they tell");
  }
  if (root.has("trigger")) settings.trigger = read_trigger(root.child("trigger"));
  const base::JsonReader doubt = root.child_or_empty("doubt");
  UploadRules& rules = settings.uploads;
  rules.low = fraction(doubt, "low", defaults.uploads.low);
  rules.high = fraction(doubt, "high", defaults.uploads.high);
  rules.below = fraction(doubt, "below", defaults.uploads.below);
  rules.sample = fraction(doubt, "sample", defaults.uploads.sample);
  if (rules.low > rules.high) {
    doubt.fail("low", fmt::format("is {}, more than high ({})", rules.low, rules.high));
  }
  const base::JsonReader upload = root.child_or_empty("upload");
  settings.upload_bucket = upload.optional_string("bucket").value_or(defaults.upload_bucket);
  settings.uploads_per_hour = count(upload, "maxPerHour", defaults.uploads_per_hour);
  settings.upload_disk_bytes = count(upload, "maxBytesOnDisk", defaults.upload_disk_bytes);
  return settings;
}

}  // namespace andon::inspect
