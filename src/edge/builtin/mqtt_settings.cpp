// SPDX-License-Identifier: Apache-2.0
#include "edge/builtin/mqtt_settings.hpp"

#include <array>
#include <utility>

#include "base/json/json_reader.hpp"
#include "base/json/problem_texts.hpp"

namespace andon::edge {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array kVersions{std::pair{"mqtt5"sv, wire::MqttVersion::v5},
                               std::pair{"mqtt3"sv, wire::MqttVersion::v3_1_1}};
// Below it libmosquitto takes none; the protocol has 16 bits of seconds.
constexpr std::int64_t kLeastKeepAliveMs = 5000;
constexpr std::int64_t kMostKeepAliveMs = 65'535'000;
constexpr std::int64_t kMostSeconds = 0xFFFF'FFFF;
// The largest message has to fit.
constexpr std::int64_t kLeastSpool = 1 << 20;
constexpr std::int64_t kMostSpool = std::int64_t{1} << 40;
constexpr std::chrono::hours kSession{1};

}  // namespace

MqttSettings read_mqtt_settings(const base::json::object* nucleus) {
  MqttSettings read;
  read.tuning.session = kSession;
  if (nucleus == nullptr) return read;
  std::vector<base::JsonProblem> problems;
  const base::JsonReading reading{.texts = base::JsonReading::Texts::as_values,
                                  .problems = &problems};
  const base::JsonReader mqtt = base::JsonReader(*nucleus, "", reading).child_or_empty("mqtt");
  if (const auto version = mqtt.choice("version", kVersions)) read.tuning.version = *version;
  if (const auto given =
          mqtt.optional_integer("keepAliveTimeoutMs", kLeastKeepAliveMs, kMostKeepAliveMs)) {
    read.tuning.keep_alive =
        std::chrono::ceil<std::chrono::seconds>(std::chrono::milliseconds(*given));
  }
  if (const auto given = mqtt.optional_integer("maxInFlightPublishes", 1, UINT16_MAX)) {
    read.tuning.max_in_flight = static_cast<std::uint16_t>(*given);
  }
  if (const auto given = mqtt.optional_integer("sessionExpirySeconds", 0, kMostSeconds)) {
    read.tuning.session = std::chrono::seconds(*given);
  }
  const base::JsonReader spooler = mqtt.child_or_empty("spooler");
  if (const auto given = spooler.optional_integer("maxSizeInBytes", kLeastSpool, kMostSpool)) {
    read.spool_bytes = static_cast<std::uint64_t>(*given);
  }
  if (const auto given = spooler.optional_integer("andonMaxAgeSeconds", 0, kMostSeconds)) {
    read.spool_age = std::chrono::seconds(*given);
  }
  read.problems = base::problem_texts(problems);
  return read;
}

}  // namespace andon::edge
