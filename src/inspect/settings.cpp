// SPDX-License-Identifier: Apache-2.0
#include "inspect/settings.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/error.hpp"
#include "inspect/result.hpp"

namespace andon::inspect {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

class Section {
 public:
  Section(const json::object* members, std::string where)
      : members_(members), where_(std::move(where)) {}

  [[nodiscard]] Section child(std::string_view key) const {
    const json::value* value = find(key);
    if (value == nullptr) return {nullptr, path(key)};
    if (!value->is_object()) fail(key, "must be an object");
    return {&value->get_object(), path(key)};
  }

  [[nodiscard]] std::string text(std::string_view key, std::string otherwise) const {
    const json::value* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_string()) fail(key, "must be a text");
    return std::string(value->get_string());
  }

  [[nodiscard]] double fraction(std::string_view key, double otherwise) const {
    const double value = number(key).value_or(otherwise);
    if (!(value >= 0 && value <= 1)) fail(key, fmt::format("is {}, not within 0 and 1", value));
    return value;
  }

  [[nodiscard]] std::int64_t count(std::string_view key, std::int64_t otherwise) const {
    const double value = number(key).value_or(static_cast<double>(otherwise));
    constexpr double kMost = 1e15;
    if (!(value >= 0 && value <= kMost)) fail(key, fmt::format("is {}, not 0 to 1e15", value));
    return static_cast<std::int64_t>(value);
  }

  [[nodiscard]] std::optional<double> number(std::string_view key) const {
    const json::value* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_number()) return value->to_number<double>();
    if (!value->is_string()) fail(key, "must be a number");
    const std::string_view digits = value->get_string();
    double result = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result);
    if (error != std::errc{} || end != digits.data() + digits.size()) {
      fail(key, fmt::format("is '{}', not a number", digits));
    }
    return result;
  }

  [[noreturn]] void fail(std::string_view key, std::string_view why) const {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("configuration member {} {}", path(key), why));
  }

 private:
  [[nodiscard]] const json::value* find(std::string_view key) const {
    const json::value* value = members_ == nullptr ? nullptr : members_->if_contains(key);
    if (value == nullptr || value->is_null()) return nullptr;
    if (value->is_string() && value->get_string().empty()) return nullptr;
    return value;
  }

  [[nodiscard]] std::string path(std::string_view key) const {
    return fmt::format("{}/{}", where_, key);
  }

  const json::object* members_;
  std::string where_;
};

AnomalySettings read_anomaly(const Section& section, const AnomalySettings& defaults) {
  AnomalySettings anomaly;
  const std::int64_t side = section.count("mapSide", defaults.map_side);
  if (side > kMaxMapSide)
    section.fail("mapSide", fmt::format("is {}, more than {}", side, kMaxMapSide));
  anomaly.map_side = static_cast<int>(side);
  const std::optional<double> low = section.number("low");
  const std::optional<double> high = section.number("high");
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
  const Section root(&configuration.get_object(), "");
  Settings settings = defaults;
  const std::string source = root.text("source", root.text("imageDirectory", ""));
  if (!source.empty()) settings.sources = {source};
  settings.model = root.text("model", defaults.model.string());
  settings.topic = root.text("topic", defaults.topic);
  settings.confidence = root.fraction("confidence", defaults.confidence);
  settings.iou = root.fraction("iou", defaults.iou);
  settings.anomaly = read_anomaly(root.child("anomaly"), defaults.anomaly);
  const Section doubt = root.child("doubt");
  UploadRules& rules = settings.uploads;
  rules.low = doubt.fraction("low", defaults.uploads.low);
  rules.high = doubt.fraction("high", defaults.uploads.high);
  rules.below = doubt.fraction("below", defaults.uploads.below);
  rules.sample = doubt.fraction("sample", defaults.uploads.sample);
  if (rules.low > rules.high) {
    doubt.fail("low", fmt::format("is {}, more than high ({})", rules.low, rules.high));
  }
  const Section upload = root.child("upload");
  settings.upload_bucket = upload.text("bucket", defaults.upload_bucket);
  settings.uploads_per_hour = upload.count("maxPerHour", defaults.uploads_per_hour);
  settings.upload_disk_bytes = upload.count("maxBytesOnDisk", defaults.upload_disk_bytes);
  return settings;
}

}  // namespace andon::inspect
