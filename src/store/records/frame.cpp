// SPDX-License-Identifier: Apache-2.0
#include "store/records/frame.hpp"

#include "trust/digests/crc.hpp"

namespace andon::store {
namespace {

constexpr std::size_t kNumberBytes = 4;

void put(std::string& out, std::uint32_t number) {
  for (std::size_t i = 0; i < kNumberBytes; ++i) {
    out += static_cast<char>((number >> (8 * i)) & 0xffU);
  }
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = kNumberBytes; i > 0; --i) {
    number = (number << 8U) | static_cast<unsigned char>(bytes[at + i - 1]);
  }
  return number;
}

}  // namespace

void append_frame(std::string& out, std::string_view record) {
  const std::size_t start = out.size();
  put(out, static_cast<std::uint32_t>(record.size()));
  put(out, trust::crc32c(record));
  put(out, trust::crc32c(std::string_view(out).substr(start, 2 * kNumberBytes)));
  out += record;
}

Frame read_frame(std::string_view bytes, std::size_t most_record_bytes) {
  if (bytes.size() < kFrameHeaderBytes) return {Frame::State::cut, {}, kFrameHeaderBytes};
  const std::uint32_t length = number_at(bytes, 0);
  const std::uint32_t header_checksum = number_at(bytes, 2 * kNumberBytes);
  if (trust::crc32c(bytes.substr(0, 2 * kNumberBytes)) != header_checksum ||
      length > most_record_bytes) {
    return {};
  }
  const std::size_t expected = kFrameHeaderBytes + length;
  if (bytes.size() < expected) return {Frame::State::cut, {}, expected};
  const std::string_view record = bytes.substr(kFrameHeaderBytes, length);
  if (trust::crc32c(record) != number_at(bytes, kNumberBytes)) return {};
  return {Frame::State::whole, record, expected};
}

}  // namespace andon::store
