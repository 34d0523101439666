// SPDX-License-Identifier: Apache-2.0
// Becomes the agent that is to run: the same process, so that who watches over it watches over the
// agent. An agent on trial is started with an alarm (alarm(2)), which ends it where it neither
// shows itself in time nor gives up by itself, and beside a copy of config.db as it was before it,
// for the agent that is returned to. One that cannot be started at all is given up at once.
#pragma once

namespace andon::launch {

// By which an agent finds its launcher again.
inline constexpr const char* kLauncherVariable = "EDGE_LAUNCHER";
inline constexpr const char* kDirectoryVariable = "EDGE_LAUNCHER_DIRECTORY";
inline constexpr const char* kBaseVariable = "EDGE_LAUNCHER_BASE";

// Of config.db and config.db-wal, in <root>/agent.
inline constexpr const char* kStateCopy = "config.db.before";

// `arguments`: the launcher, DIRECTORY, AGENT and the agent's own, ending with null. Comes back
// only where not even AGENT could be started; the exit code is then 127.
[[nodiscard]] int become_agent(char** arguments);

}  // namespace andon::launch
