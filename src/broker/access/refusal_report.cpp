// SPDX-License-Identifier: Apache-2.0
#include "broker/access/refusal_report.hpp"

#include <utility>

#include "base/text/escape.hpp"
#include "base/text/utf8.hpp"

namespace andon::broker {
namespace {

constexpr std::size_t kMostTold = 50;  // in one message
constexpr std::uint64_t kPerSecond = 10;
constexpr std::uint64_t kAtOnce = 50;
constexpr std::size_t kMostText = 256;

void add_text(std::string& object, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  const std::string valid = base::to_valid_utf8(text.substr(0, kMostText));
  object += ",\"" + std::string(name) + "\":\"" + base::escape_json(valid) + "\"";
}

}  // namespace

void RefusalReport::add(const Refusal& refusal, std::int64_t time_ms, TimePoint now) {
  if (told_.size() >= kMostTold || !quota_.take(1, kPerSecond, kAtOnce, now)) {
    ++left_out_;
    return;
  }
  std::string object = "{\"time\":" + std::to_string(time_ms);
  add_text(object, "kind", refusal.kind);
  add_text(object, "clientId", refusal.client_id);
  add_text(object, "address", refusal.address);
  add_text(object, "principal", refusal.principal);
  add_text(object, "fingerprint", refusal.fingerprint);
  add_text(object, "topic", refusal.topic);
  add_text(object, "reason", refusal.reason);
  told_.push_back(object + "}");
}

std::optional<std::string> RefusalReport::take() {
  if (told_.empty() && left_out_ == 0) return std::nullopt;
  std::string message = "{\"refusals\":[";
  for (const std::string& one : std::exchange(told_, {})) {
    message += (message.ends_with('[') ? "" : ",") + one;
  }
  return message + "],\"leftOut\":" + std::to_string(std::exchange(left_out_, 0)) + "}";
}

}  // namespace andon::broker
