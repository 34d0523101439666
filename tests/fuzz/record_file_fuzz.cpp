// SPDX-License-Identifier: Apache-2.0
// The records of a file: a whole one reads as it was written, whatever stands behind it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "store/records/frame.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using andon::store::Frame;
  constexpr std::size_t kMostBytes = 1 << 16;
  const std::string bytes(data, data + size);
  const Frame frame = andon::store::read_frame(bytes, kMostBytes);
  if (frame.state == Frame::State::whole) {
    std::string again;
    andon::store::append_frame(again, frame.record);
    if (again != bytes.substr(0, frame.bytes_expected)) std::abort();
  }
  if (frame.state == Frame::State::cut && frame.bytes_expected <= size) std::abort();
  if (size > kMostBytes) return 0;
  std::string framed;
  andon::store::append_frame(framed, bytes);
  if (andon::store::read_frame(framed + bytes, kMostBytes).record != bytes) std::abort();
  return 0;
}
