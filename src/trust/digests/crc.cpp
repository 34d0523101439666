// SPDX-License-Identifier: Apache-2.0
#include "trust/digests/crc.hpp"

#include <bit>
#include <cstring>

namespace andon::trust {
namespace {

// Reflected polynomials.
constexpr std::uint64_t kCrc32Polynomial = 0xedb88320U;
constexpr std::uint64_t kCrc32cPolynomial = 0x82f63b78U;
constexpr std::uint64_t kCrc64NvmePolynomial = 0x9a6c9329ac4bc9b5U;

constexpr std::uint64_t kOnes32 = 0xffffffffU;
constexpr std::uint64_t kOnes64 = ~std::uint64_t{0};

constexpr Crc::Tables make_tables(std::uint64_t polynomial) {
  Crc::Tables tables{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) != 0 ? polynomial : 0U);
    tables[0][byte] = value;
  }
  for (std::size_t slice = 1; slice < Crc::kSlices; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t value = tables[slice - 1][byte];
      tables[slice][byte] = (value >> 8U) ^ tables[0][value & 0xffU];
    }
  }
  return tables;
}

constexpr Crc::Tables kCrc32Tables = make_tables(kCrc32Polynomial);
constexpr Crc::Tables kCrc32cTables = make_tables(kCrc32cPolynomial);
constexpr Crc::Tables kCrc64NvmeTables = make_tables(kCrc64NvmePolynomial);

}  // namespace

Crc Crc::crc32() {
  return {kCrc32Tables, kOnes32};
}
Crc Crc::crc32c() {
  return {kCrc32cTables, kOnes32};
}
Crc Crc::crc64_nvme() {
  return {kCrc64NvmeTables, kOnes64};
}

// "Slicing by 8": the register is at most as wide as eight bytes, so one load holds all of it.
void Crc::update(std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  while (bytes.size() >= kSlices) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    word ^= register_;
    register_ = 0;
    for (std::size_t i = 0; i < kSlices; ++i) {
      register_ ^= (*tables_)[kSlices - 1 - i][(word >> (8 * i)) & 0xffU];
    }
    bytes.remove_prefix(kSlices);
  }
  for (const char c : bytes) {
    register_ =
        (register_ >> 8U) ^ (*tables_)[0][(register_ ^ static_cast<unsigned char>(c)) & 0xffU];
  }
}

std::uint32_t crc32(std::string_view bytes) {
  Crc crc = Crc::crc32();
  crc.update(bytes);
  return static_cast<std::uint32_t>(crc.value());
}

std::uint32_t crc32c(std::string_view bytes) {
  Crc crc = Crc::crc32c();
  crc.update(bytes);
  return static_cast<std::uint32_t>(crc.value());
}

}  // namespace andon::trust
