// SPDX-License-Identifier: Apache-2.0
// Landlock: the second fence around files, ports and signals, also where a mount or an owner was
// set wrongly. For the calling thread and what it starts, for ever.
#pragma once

#include "job/sandbox/rules.hpp"

namespace andon::job {

// The version of the kernel's interface; 0 where there is none.
[[nodiscard]] int landlock_version();
// From which version on connections, abstract sockets and signals are fenced, too.
inline constexpr int kLandlockWithScopes = 6;

// In the new root: reads and runs everything, writes below its own places. Throws system_error.
void restrict_with_landlock(const SandboxRules& rules, int version);

}  // namespace andon::job
