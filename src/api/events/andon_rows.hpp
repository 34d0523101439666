// SPDX-License-Identifier: Apache-2.0
// andon's own operations of events: webhooks, and what became of deliveries; and the door of the
// webhooks, POST /hooks/NAME, which needs no signature of AWS.
#pragma once

#include <vector>

#include "api/table/operation.hpp"
#include "events/delivery/queue.hpp"
#include "events/webhooks/webhooks.hpp"

namespace andon::api {

// All outlive the rows.
[[nodiscard]] std::vector<Operation> webhook_operations(events::Webhooks& webhooks,
                                                        const events::EventQueue& queue);

// 202 for what was taken, 403 without a good proof, 409 for what was taken before, 413 for more
// than a megabyte.
[[nodiscard]] wire::HttpResponse take_push(events::Webhooks& webhooks,
                                           const wire::HttpRequest& request);

}  // namespace andon::api
