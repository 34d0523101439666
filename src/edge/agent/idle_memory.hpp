// SPDX-License-Identifier: Apache-2.0
// What an agent does when it has nothing to do for a while: gives back memory that only its start
// or a deployment has needed. Free heap goes back to the system; the pages of programs and
// libraries that were read from files leave the process until they are used again (from the page
// cache, where the system may now drop them). Blocks for some milliseconds; any thread.
#pragma once

#include <cstdint>

namespace andon::edge {

// The bytes of file pages whose mapping was given up. Linux only; nothing where /proc is not there.
std::uint64_t give_back_idle_memory();

}  // namespace andon::edge
