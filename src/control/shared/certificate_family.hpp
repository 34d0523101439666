// SPDX-License-Identifier: Apache-2.0
// A certificate and its renewals are one to the operator: what is said of one holds for all.
#pragma once

#include <string_view>

namespace andon::control {

// In SQL: the certificate $1 itself, the one that it was renewed to and the one that it is a
// renewal of. There are no more: a renewal forgets what is older.
inline constexpr std::string_view kWithItsRenewal =
    "(id = $1 OR replaces = $1 OR id = (SELECT r.replaces FROM certificates r WHERE r.id = $1))";

}  // namespace andon::control
