// SPDX-License-Identifier: Apache-2.0
// The files that a sandbox sees: a new root with the system's programs and libraries read-only, the
// few files of /etc that they read, its own directories, its own /proc and /dev. For the calling
// process, in a mount namespace of its own; throws base::Error where that cannot be made.
#pragma once

#include "job/sandbox/rules.hpp"

namespace andon::job {

void enter_private_root(const SandboxRules& rules);

}  // namespace andon::job
