// SPDX-License-Identifier: Apache-2.0
// What each kind of command does on this device: the same as `andon-edge` does for who sits at it
// (edge/control), and, where the device's own configuration allows it, a command line and copies as
// a user without rights. Blocks; any thread but the agent's loop, one that outlives it.
#pragma once

#include <string>

#include "edge/budget/link_budget.hpp"
#include "edge/commands/command_output.hpp"
#include "edge/loop/cancellation.hpp"
#include "edge/state/layout.hpp"
#include "fleet/command/command_request.hpp"

namespace andon::edge {

// What people elsewhere may do here beyond the usual; off unless the device says so.
struct RemoteHands {
  bool shell = false;
  bool copy = false;
  std::string user;  // as whom
};

// Where a command is carried out. The budget outlives it.
struct CommandPlace {
  Layout layout;
  RemoteHands hands;
  LinkBudget& budget;  // files that it answers with wait for their share of the link
};

// What there is to say at the end. Throws what ends it otherwise; cancelled where nobody wants any
// more.
[[nodiscard]] json::object carry_out(const fleet::CommandRequest& request,
                                     const CommandPlace& place, const Cancellation& cancellation,
                                     CommandOutput& output);

}  // namespace andon::edge
