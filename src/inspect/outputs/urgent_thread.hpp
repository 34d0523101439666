// SPDX-License-Identifier: Apache-2.0
// Threads that the line waits for: they do little, and that at once.
#pragma once

namespace andon::inspect {

// Names the calling thread, and puts it before all others of the machine that are not as urgent,
// where this program may do that (root, or a limit of real-time priority); else it stays as it is.
// What it starts is not urgent.
void be_urgent(const char* name);

}  // namespace andon::inspect
