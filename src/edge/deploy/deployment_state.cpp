// SPDX-License-Identifier: Apache-2.0
#include "edge/deploy/deployment_state.hpp"

#include <algorithm>
#include <array>

namespace andon::edge {
namespace {

using State = DeploymentState;
using Work = DeploymentWork;

// `on_failed` is the state after a failure (with the policy ROLLBACK where the two differ).
struct Row {
  State state;
  std::string_view name;
  std::string_view words;
  Work work;
  State on_done;
  State on_failed;
  bool cancellable;
};

// clang-format off
constexpr std::array kTable{
  Row{State::received,     "RECEIVED",     "resolving components",   Work::resolve,   State::resolved,    State::failed,       true},
  Row{State::resolved,     "RESOLVED",     "downloading",            Work::fetch,     State::fetched,     State::failed,       true},
  Row{State::fetched,      "FETCHED",      "verifying",              Work::verify,    State::verified,    State::failed,       true},
  Row{State::verified,     "VERIFIED",     "unpacking",              Work::stage,     State::staged,      State::failed,       true},
  Row{State::staged,       "STAGED",       "asking components",      Work::ask,       State::activating,  State::failed,       true},
  Row{State::activating,   "ACTIVATING",   "starting components",    Work::activate,  State::checked,     State::rolling_back, false},
  Row{State::checked,      "CHECKED",      "finishing",              Work::commit,    State::succeeded,   State::rolling_back, false},
  Row{State::succeeded,    "SUCCEEDED",    "succeeded",              Work::none,      State::succeeded,   State::succeeded,    false},
  Row{State::rolling_back, "ROLLING_BACK", "rolling back",           Work::roll_back, State::rolled_back, State::failed,       false},
  Row{State::rolled_back,  "ROLLED_BACK",  "rolled back",            Work::none,      State::rolled_back, State::rolled_back,  false},
  Row{State::failed,       "FAILED",       "failed",                 Work::none,      State::failed,      State::failed,       false},
};
// clang-format on

const Row& row(State state) {
  return kTable.at(static_cast<std::size_t>(state));
}

DeploymentMove enter(State state) {
  return {state, row(state).work};
}

}  // namespace

std::optional<DeploymentMove> apply(State state, DeploymentEvent event, OnFailure on_failure) {
  if (is_end(state)) return std::nullopt;
  const Row& from = row(state);
  switch (event) {
    case DeploymentEvent::work_done:
      return enter(from.on_done);
    case DeploymentEvent::work_failed:
      if (from.on_failed == State::rolling_back && on_failure == OnFailure::do_nothing) {
        return enter(State::failed);
      }
      return enter(from.on_failed);
    case DeploymentEvent::cancelled:
      if (!from.cancellable) return std::nullopt;
      return enter(State::failed);
    case DeploymentEvent::resumed:
      return enter(state);
  }
  return std::nullopt;
}

std::vector<State> all_deployment_states() {
  std::vector<State> all;
  for (const Row& one : kTable) all.push_back(one.state);
  return all;
}

bool is_end(State state) {
  return state == State::succeeded || state == State::rolled_back || state == State::failed;
}

bool outlives_power_cut(DeploymentState state) {
  using enum DeploymentState;
  // Up to STAGED nothing that runs was touched; CHECKED looks at what ACTIVATING has brought up.
  return state != resolved && state != fetched && state != verified && state != staged &&
         state != checked;
}

bool can_cancel(State state) {
  return row(state).cancellable;
}

std::string_view describe(State state) {
  return row(state).words;
}

std::string_view to_string(State state) {
  return row(state).name;
}

std::optional<State> parse_deployment_state(std::string_view name) {
  const auto found = std::ranges::find(kTable, name, &Row::name);
  if (found == kTable.end()) return std::nullopt;
  return found->state;
}

}  // namespace andon::edge
