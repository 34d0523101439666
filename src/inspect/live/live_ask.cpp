// SPDX-License-Identifier: Apache-2.0
#include "inspect/live/live_ask.hpp"

#include <fmt/format.h>

#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"

namespace andon::inspect {

namespace json = base::json;

LiveAsk read_live_ask(const json::object& message) {
  constexpr std::size_t kMostIdBytes = 128;
  constexpr std::int64_t kLeastSide = 64;
  constexpr std::int64_t kMostSide = 1280;
  constexpr std::int64_t kMostPerSecond = 5;
  constexpr std::int64_t kLeastBytes = 4096;
  constexpr std::int64_t kMostBytes = 92'160;
  const base::JsonReader reader(message, "ask for frames");
  LiveAsk ask;
  ask.id = reader.optional_string("id").value_or("");
  if (ask.id.size() > kMostIdBytes) {
    reader.fail("id", fmt::format("is longer than {} bytes", kMostIdBytes));
  }
  ask.component = reader.optional_string("component").value_or("");
  ask.max_side = static_cast<int>(
      reader.optional_integer("maxSide", kLeastSide, kMostSide).value_or(ask.max_side));
  ask.per_second = static_cast<int>(
      reader.optional_integer("perSecond", 0, kMostPerSecond).value_or(ask.per_second));
  ask.max_bytes =
      static_cast<std::size_t>(reader.optional_integer("maxBytes", kLeastBytes, kMostBytes)
                                   .value_or(static_cast<std::int64_t>(ask.max_bytes)));
  return ask;
}

json::object live_message_of(const json::object& event) {
  const base::JsonReader reader(event, "message");
  if (reader.has("jsonMessage")) return reader.child("jsonMessage").child("message").object();
  const auto bytes = base::from_base64(reader.child("binaryMessage").string("message"));
  if (!bytes) reader.fail("binaryMessage", "is not base64");
  constexpr std::size_t kMostBytes = 4096;
  constexpr std::size_t kMostDepth = 4;
  const json::value message = base::parse_json(*bytes, "ask for frames",
                                               {.max_bytes = kMostBytes, .max_depth = kMostDepth});
  return base::JsonReader(message, "ask for frames").object();
}

}  // namespace andon::inspect
