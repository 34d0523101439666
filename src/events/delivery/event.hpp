// SPDX-License-Identifier: Apache-2.0
// Room: delivery. Events on their way: taken in durably, matched against the rules of their bus,
// and brought to each target until it has them or the retry policy ends.
//
// An event in AWS's envelope. Values; pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "events/rules/types.hpp"

namespace andon::events {

struct Event {
  std::string source;
  std::string detail_type;
  std::vector<std::string> resources;
  json::object detail;
  base::Timestamp time;
};

struct Envelope {
  std::string id;
  json::object body;
};
// With a new id.
[[nodiscard]] Envelope envelop(const Event& event, const EventArns& arns);

}  // namespace andon::events
