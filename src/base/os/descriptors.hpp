// SPDX-License-Identifier: Apache-2.0
// Open descriptors sent from process to process over a Unix socket, with the bytes of a message.
// Any thread. Errors are base::Error.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"

namespace andon::base {

// At most so many at once.
inline constexpr std::size_t kMostDescriptors = 8;

// All of `bytes`, which must not be empty, in one message.
void send_descriptors(int socket, std::string_view bytes, const std::vector<int>& descriptors);

struct Received {
  std::string bytes;  // empty: the other side has closed, or nothing is there (non-blocking)
  bool has_closed = false;
  std::vector<UniqueFd> descriptors;
};
// One message, or as much of a stream, of at most `most_bytes`.
[[nodiscard]] Received receive_descriptors(int socket, std::size_t most_bytes);

}  // namespace andon::base
