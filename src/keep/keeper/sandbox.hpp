// SPDX-License-Identifier: Apache-2.0
// The sandbox of a component, on the C library alone: no new privileges (which the caller sets
// last), the system read-only; where that is wanted /tmp and /var/tmp its own and gone with it, and
// no network but a loopback of its own. Left as they are: /dev (cameras, GPIO, serial lines, shared
// memory), /proc, /sys and /run, and the places that the order names. Between fork and exec, as
// root.
#pragma once

#include "keep/record/order.hpp"

namespace andon::keep {

// False with errno where the kernel does not let it.
[[nodiscard]] bool enter_sandbox(const OrderView& order);

}  // namespace andon::keep
