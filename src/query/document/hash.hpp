// SPDX-License-Identifier: Apache-2.0
// Digests as States.Hash and $hash give them. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace andon::query {

// Lower-case hexadecimal digest, or nothing for an unknown algorithm. "MD5", "SHA-1", "SHA-256",
// "SHA-384", "SHA-512".
[[nodiscard]] std::optional<std::string> hash_text(std::string_view algorithm,
                                                   std::string_view data);

}  // namespace andon::query
