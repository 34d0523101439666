// SPDX-License-Identifier: Apache-2.0
// `andon-edge adopt`: the steps of component andon.Edge, which brings this program as its artifact
// and has it run as the device's agent from then on. The launcher starts it on trial, and goes back
// to the agent before where it does not reach its server (launch/slots/slots.hpp). Blocking; any
// thread. Each step can be done again.
#pragma once

#include <chrono>

#include "base/json/fwd.hpp"
#include "edge/state/layout.hpp"

namespace andon::edge {

// Of a component's bootstrap step: the agent is to be started anew, through its launcher.
inline constexpr int kRestartAgent = 100;

// Where agents that deployments have brought lie, and which one runs.
[[nodiscard]] fs::path agents_directory(const Layout& layout);

// Copies this program and its keeper to a free place and puts it on trial for `limit`. The exit
// code of the step: kRestartAgent, or 0 where it is the agent already. Throws failed_precondition
// where no launcher starts this device's agent.
[[nodiscard]] int adopt_agent(const Layout& layout, std::chrono::seconds limit);

// Waits for the end of the trial. Throws failed_precondition with the reason where this program was
// returned from.
void wait_for_adoption(const Layout& layout);

// The package's agent is the one from the next start on.
void leave_adoption(const Layout& layout);

// Other commands of this device are the running agent's: it may have a state that this program does
// not know. Becomes it where that is another program; `arguments` end with null.
void become_adopted(const Layout& layout, char** arguments);

// Which agent the launcher starts: {"runs": "a", "onTrial": true, "returnedFrom": why}; empty
// where there is no launcher.
[[nodiscard]] base::json::object describe_adoption(const Layout& layout);

}  // namespace andon::edge
