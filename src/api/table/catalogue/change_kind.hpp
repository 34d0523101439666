// SPDX-License-Identifier: Apache-2.0
// The kinds of things of which open pages are told that they have changed (console/changes.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

namespace andon::api {

enum class ChangeKind : std::uint8_t {
  none,  // nothing that a page shows by itself: nobody is told
  devices,
  deployments,
  models,
  executions,
  results,
  objects,
  triggers,   // rules, schedules, webhooks, and what came of each delivery
  functions,  // of Lambda
  access,     // users, roles, keys, sessions of the console
  upkeep,     // backups, shifts
};
inline constexpr std::size_t kChangeKinds = 11;

}  // namespace andon::api
