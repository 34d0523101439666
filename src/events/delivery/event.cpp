// SPDX-License-Identifier: Apache-2.0
#include "events/delivery/event.hpp"

#include "base/text/id.hpp"

namespace andon::events {

Envelope envelop(const Event& event, const EventArns& arns) {
  constexpr std::size_t kSeconds = 19;  // 2026-11-29T12:00:00
  Envelope made{base::random_uuid(), {}};
  json::array resources;
  for (const std::string& resource : event.resources) resources.emplace_back(resource);
  made.body = {{"version", "0"},
               {"id", made.id},
               {"detail-type", event.detail_type},
               {"source", event.source},
               {"account", arns.account()},
               {"time", base::to_iso8601(event.time).substr(0, kSeconds) + "Z"},
               {"region", arns.region()},
               {"resources", std::move(resources)},
               {"detail", event.detail}};
  return made;
}

}  // namespace andon::events
