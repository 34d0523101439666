// SPDX-License-Identifier: Apache-2.0
// Unguessable names from the kernel's random source. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace andon::base {

[[nodiscard]] std::string random_bytes(std::size_t count);
[[nodiscard]] std::string random_uuid();  // RFC 4122 version 4, lower case
// `length` characters, each drawn evenly from `alphabet` (at most 256 characters).
[[nodiscard]] std::string random_text(std::size_t length, std::string_view alphabet);

}  // namespace andon::base
