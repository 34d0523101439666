// SPDX-License-Identifier: Apache-2.0
// Threads that the line waits for: they do little, and that at once.
#pragma once

namespace andon::inspect {

// Names the calling thread, and puts it before all others of the machine that are not as urgent,
// where this program may do that (root, or a limit of real-time priority); else it stays as it is,
// and the system's error is given. What it starts is not urgent.
int be_urgent(const char* name);
// The same, of a thread that there is only where the line is told: the log says once that it may
// not.
void be_urgent_or_warn(const char* name);

}  // namespace andon::inspect
