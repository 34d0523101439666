// SPDX-License-Identifier: Apache-2.0
// How a user of the broker is known without its password being kept: one digest of name and
// password. Enough for passwords that were made at random (make_password), which nobody can try
// out; not for such that people think of. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace andon::trust {

// 32 letters and digits: more than 180 bits.
[[nodiscard]] std::string make_password();
// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string user_credential(std::string_view name, std::string_view password);

}  // namespace andon::trust
