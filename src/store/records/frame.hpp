// SPDX-License-Identifier: Apache-2.0
// How a record stands in a record file: 12 bytes of header, then the record's bytes. Little endian:
//   u32 length | u32 CRC-32C of the record | u32 CRC-32C of these 8 bytes
// The header has a checksum of its own, so that a length is never believed that was not written: a
// reader that meets damage can look for the next header. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace andon::store {

constexpr std::size_t kFrameHeaderBytes = 12;

void append_frame(std::string& out, std::string_view record);

struct Frame {
  enum class State {
    whole,
    cut,      // a header, or the beginning of one, whose rest is not there
    damaged,  // no header, or a record that is not what was written
  };
  State state = State::damaged;
  std::string_view record;         // where it is whole
  std::size_t bytes_expected = 0;  // of header and record, where it is whole or cut
};

// What `bytes` begin with. A header that tells of more than `most_record_bytes` is damaged.
[[nodiscard]] Frame read_frame(std::string_view bytes, std::size_t most_record_bytes);

}  // namespace andon::store
