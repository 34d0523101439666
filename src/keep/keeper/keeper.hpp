// SPDX-License-Identifier: Apache-2.0
// The keeper of one component's service: starts it in a process group of its own, takes its output
// into its log and its end into a file (record/state_file.hpp), so that it outlives the agent that
// ordered it and is found again. Nothing of a server's keeper of jobs is here, and no C++ library,
// for every component of a device pays for this process all day.
//
// Standard input is the socket that the order comes over, standard output a file that the agent has
// locked: the lock lasts as long as the keeper, and a keeper whose file was removed ends its
// process and itself. What standard error is stays open, for the agent's sake. SIGTERM: the process
// and its group are killed, and the keeper ends. The process ends with its keeper.
#pragma once

namespace andon::keep {

// What andon-keeper does: becomes the keeper in the background; the exit code of the first process.
[[nodiscard]] int keep_in_background();

}  // namespace andon::keep
