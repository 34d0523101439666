// SPDX-License-Identifier: Apache-2.0
// A filter of system calls (seccomp): what no ordinary program needs and what has been a way out of
// sandboxes is answered with "not permitted". For the calling thread and what it starts, for ever;
// it must have given up new privileges before.
#pragma once

namespace andon::job {

enum class Network { its_own, of_the_machine };
enum class Affinity { free, fixed };

// In the machine's network only TCP can be made, which Landlock then fences by port. With a fixed
// affinity it stays on the processors that it was put on. Throws system_error.
void restrict_system_calls(Network network, Affinity affinity);

}  // namespace andon::job
