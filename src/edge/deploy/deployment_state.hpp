// SPDX-License-Identifier: Apache-2.0
// The life of one deployment on the device as data: states, events, the table of allowed moves and
// what is to be done in each state. Pure. The engine journals the new state before it does the
// state's work, so that after a crash the same work is done again; every work is idempotent.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace andon::edge {

enum class DeploymentState {
  received,      // the document is in the journal; work: resolve
  resolved,      // the plan (components, artifacts, configuration) is in the journal; work: fetch
  fetched,       // every byte is on the disk; work: verify digests and sizes
  verified,      // work: stage (link, unpack)
  staged,        // work: ask the components; then the new configuration is written
  activating,    // components are being changed; work: bring the plan's set up
  checked,       // all of them run; work: make it the last good set
  succeeded,     // end
  rolling_back,  // work: bring the last good set up again
  rolled_back,   // end: failed, the last good set runs
  failed,        // end: failed before anything was changed, or without a rollback
};

enum class DeploymentEvent {
  work_done,    // the state's work is complete
  work_failed,  // the reason is in the journal
  cancelled,    // the server withdrew it, or a newer one took its place
  resumed,      // the agent started and found the deployment in this state
};

// The failure handling policy, as the table needs it.
enum class OnFailure { roll_back, do_nothing };

enum class DeploymentWork { none, resolve, fetch, verify, stage, ask, activate, commit, roll_back };

struct DeploymentMove {
  DeploymentState next;
  DeploymentWork work;  // to be done once `next` is in the journal
};

// Nothing where the event means nothing in this state (a cancellation while activating): stay.
[[nodiscard]] std::optional<DeploymentMove> apply(DeploymentState state, DeploymentEvent event,
                                                  OnFailure on_failure);

[[nodiscard]] std::vector<DeploymentState> all_deployment_states();
[[nodiscard]] bool is_end(DeploymentState state);
// False once components may have been changed: a cancellation is then too late.
[[nodiscard]] bool can_cancel(DeploymentState state);

// False where a power cut may take the device back to a state before: all work since then can
// simply be done again. The state is written before its work in any case.
[[nodiscard]] bool outlives_power_cut(DeploymentState state);

[[nodiscard]] std::string_view to_string(DeploymentState state);
// What the device does in it, for people: "downloading".
[[nodiscard]] std::string_view describe(DeploymentState state);
// Nothing for a name that this version does not know: the caller rolls back, never guesses.
[[nodiscard]] std::optional<DeploymentState> parse_deployment_state(std::string_view name);

}  // namespace andon::edge
