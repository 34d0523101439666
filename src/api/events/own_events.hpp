// SPDX-License-Identifier: Apache-2.0
// What happens on this server as events, in AWS's words: source, detail-type, resources, detail.
// Pure; any thread.
#pragma once

#include <optional>

#include "control/shared/outbox.hpp"
#include "events/delivery/event.hpp"
#include "fleet/names/arn.hpp"
#include "store/objects/object_events.hpp"
#include "workflow/observe/status_changes.hpp"

namespace andon::api {

// Nothing for a row that is no event.
[[nodiscard]] std::optional<events::Event> own_event(const control::OutboxEntry& entry,
                                                     const fleet::Arns& arns);
// Nothing where the execution is forgotten.
[[nodiscard]] std::optional<events::Event> own_event(const workflow::StatusChange& change);
[[nodiscard]] events::Event own_event(const store::ObjectChange& change, const fleet::Arns& arns);

}  // namespace andon::api
