// SPDX-License-Identifier: Apache-2.0
// What listens for triggers, each on a thread of its own that ends with the object. A peer that is
// gone is looked for again with growing pauses.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/json/json.hpp"
#include "inspect/trigger/trigger_settings.hpp"
#include "wire/local/local_http.hpp"

namespace andon::inspect {

class TriggerInput {
 public:
  TriggerInput() = default;
  TriggerInput(const TriggerInput&) = delete;
  TriggerInput& operator=(const TriggerInput&) = delete;
  virtual ~TriggerInput() = default;

  // Of HTTP: where it listens; else 0.
  [[nodiscard]] virtual std::uint16_t port() const { return 0; }
};

struct TriggerCallbacks {
  // A part is there since `at`; without an id of its own `id` is empty. Gives the id that it has,
  // or nothing where there is no room for it. Any thread.
  std::function<std::optional<std::string>(std::string id, Instant at)> on_part;
  // What GET /status answers. Any thread.
  std::function<base::json::object()> status;
};

// Throws what keeps it from beginning: an address that cannot be had, a module that is missing.
[[nodiscard]] std::unique_ptr<TriggerInput> make_trigger(const TriggerSettings& settings,
                                                         const TriggerCallbacks& callbacks);

// Throws failed_precondition where a module that it needs is missing. Opens nothing else.
void require_modules(const TriggerSettings& settings);

// POST /trigger, with {"part": "A-17"} or nothing as its body: 202 and {"part": ...}; 503 where
// there is no room. GET /status. Pure but for the callbacks.
[[nodiscard]] wire::LocalHttpAnswer answer_trigger(const wire::LocalHttpRequest& request,
                                                   const TriggerCallbacks& callbacks, Instant now);

// The id in the body of POST /trigger; empty where there is none. Throws invalid_argument.
[[nodiscard]] std::string read_trigger_body(std::string_view body);
inline constexpr std::size_t kMostTriggerBytes = 4096;
inline constexpr std::size_t kMostPartIdBytes = 128;

}  // namespace andon::inspect
