// SPDX-License-Identifier: Apache-2.0
// Whose process is at the other end of a connection on this machine, by the kernel's word. Linux;
// any thread; never waits.
#pragma once

#include <sys/types.h>

#include <optional>

namespace andon::base {

// The user of the process that holds the other end of the accepted Unix or TCP socket `socket`.
// Nothing where the other end is on another machine or gone, or where the kernel does not tell.
[[nodiscard]] std::optional<uid_t> peer_user(int socket);

}  // namespace andon::base
