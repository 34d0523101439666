// SPDX-License-Identifier: Apache-2.0
// TCP ports for programs that cannot take "any free one" themselves. Pure system calls; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace andon::server {

// Throws unavailable, with what to do, where `address`:`port` cannot be listened on now. `option`
// is the command-line option that chooses the port.
void require_free_port(const std::string& address, std::uint16_t port, const std::string& option);

// A port that is free now on `address`: `preferred` if it is (0: no preference).
[[nodiscard]] std::uint16_t choose_port(const std::string& address, std::uint16_t preferred);

// "127.0.0.1", "::1" and the like, and "localhost".
[[nodiscard]] bool is_loopback(const std::string& address);

}  // namespace andon::server
