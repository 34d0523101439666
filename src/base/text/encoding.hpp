// SPDX-License-Identifier: Apache-2.0
// Bytes as text: hex, base64, percent-encoding. Pure; any thread.
// Decoders give nothing for text that is not of their form; the caller names the field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace andon::base {

[[nodiscard]] std::span<const std::uint8_t> as_bytes(std::string_view text);

[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);  // lower case
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);
// Is it `bytes` bytes as to_hex writes them? A digest, say, which has one form only.
[[nodiscard]] bool is_hex_of(std::string_view text, std::size_t bytes);

[[nodiscard]] std::string to_base64(std::string_view bytes);  // RFC 4648 section 4, padded
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
[[nodiscard]] std::string to_base64url(std::string_view bytes);  // section 5, not padded
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

// RFC 3986: everything but unreserved characters is escaped, upper-case hex, as SigV4 wants it.
enum class Slash { escape, keep };
[[nodiscard]] std::string percent_encode(std::string_view text, Slash slash = Slash::escape);
// Nothing for a '%' without two hex digits. '+' stays '+'.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

}  // namespace andon::base
