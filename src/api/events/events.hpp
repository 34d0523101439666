// SPDX-License-Identifier: Apache-2.0
// Room: events. EventBridge (model 2015-10-07) as rows of the operation table: buses, rules and
// their targets, PutEvents, connections and API destinations. Archives, replays, endpoints and
// partners' sources are not here. Over andon::events and control::Connections.
#pragma once

#include <functional>
#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "control/connections/connections.hpp"
#include "control/shared/tags.hpp"
#include "events/delivery/queue.hpp"
#include "events/rules/destinations.hpp"
#include "events/rules/rules.hpp"
#include "fleet/names/arn.hpp"

namespace andon::api {

struct EventParts {
  control::Connections& connections;
  control::Tags& tags;
  events::Rules& rules;
  events::Destinations& destinations;
  events::EventQueue& queue;
  const fleet::Arns& arns;
  const base::Clock& clock;
  const Authorizer* authorizer = nullptr;
  std::function<void()> wake;  // there is something to deliver
  // Does this address get mails from here?
  std::function<bool(const std::string& address)> may_mail;
};

// What `parts` refers to outlives the rows.
[[nodiscard]] std::vector<Operation> events_operations(const EventParts& parts);

// PutEvents' entries, each taken or refused by name; durable when it returns. The answer is the
// operation's.
[[nodiscard]] base::json::object put_events(const EventParts& parts,
                                            const base::json::array& entries);

}  // namespace andon::api
