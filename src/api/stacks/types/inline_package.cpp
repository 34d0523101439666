// SPDX-License-Identifier: Apache-2.0
#include "api/stacks/types/inline_package.hpp"

#include <zlib.h>

#include <cstdint>

namespace andon::api {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50;
constexpr std::uint32_t kCentral = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint16_t kVersion = 20;
constexpr std::uint16_t kMadeByUnix = 0x0314;
constexpr std::uint16_t kDay = 0x0021;  // 1980-01-01
constexpr std::uint32_t kReadable = 0100644U << 16U;

void put(std::string& bytes, std::uint32_t number, int count) {
  for (int i = 0; i < count; ++i) {
    bytes.push_back(static_cast<char>((number >> (8U * static_cast<unsigned>(i))) & 0xFFU));
  }
}
void put16(std::string& bytes, std::uint16_t number) {
  put(bytes, number, 2);
}
void put32(std::string& bytes, std::uint32_t number) {
  put(bytes, number, 4);
}

// What both headers of a file say: flags, method, time, day, check sum, sizes, length of the name.
void put_facts(std::string& bytes, std::string_view name, std::string_view content) {
  const auto size = static_cast<std::uint32_t>(content.size());
  const auto sum = static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
  for (const std::uint16_t word : {std::uint16_t{0}, std::uint16_t{0}, std::uint16_t{0}, kDay}) {
    put16(bytes, word);
  }
  put32(bytes, sum);
  put32(bytes, size);
  put32(bytes, size);
  put16(bytes, static_cast<std::uint16_t>(name.size()));
  put16(bytes, 0);
}

}  // namespace

std::string zip_of(std::string_view name, std::string_view content) {
  std::string bytes;
  put32(bytes, kLocal);
  put16(bytes, kVersion);
  put_facts(bytes, name, content);
  bytes.append(name).append(content);
  const auto directory = static_cast<std::uint32_t>(bytes.size());
  put32(bytes, kCentral);
  put16(bytes, kMadeByUnix);
  put16(bytes, kVersion);
  put_facts(bytes, name, content);
  put16(bytes, 0);  // comment
  put16(bytes, 0);  // disk
  put16(bytes, 0);  // inner attributes
  put32(bytes, kReadable);
  put32(bytes, 0);  // where the file begins
  bytes.append(name);
  const auto directory_size = static_cast<std::uint32_t>(bytes.size()) - directory;
  put32(bytes, kEnd);
  put16(bytes, 0);
  put16(bytes, 0);
  put16(bytes, 1);
  put16(bytes, 1);
  put32(bytes, directory_size);
  put32(bytes, directory);
  put16(bytes, 0);
  return bytes;
}

}  // namespace andon::api
