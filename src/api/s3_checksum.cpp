// SPDX-License-Identifier: Apache-2.0
#include "api/s3_checksum.hpp"

#include <bit>
#include <cstring>
#include <variant>

#include "base/encoding.hpp"
#include "trust/digest.hpp"

namespace andon::api {
namespace {

// Reflected polynomials: IEEE 802.3, RFC 3720 (Castagnoli), and NVM Express 64-bit.
constexpr std::uint64_t kCrc32Polynomial = 0xedb88320U;
constexpr std::uint64_t kCrc32cPolynomial = 0x82f63b78U;
constexpr std::uint64_t kCrc64NvmePolynomial = 0x9a6c9329ac4bc9b5U;

constexpr std::size_t kSlices = 8;
using Tables = std::array<std::array<std::uint64_t, 256>, kSlices>;

constexpr Tables make_tables(std::uint64_t polynomial) {
  Tables tables{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) != 0 ? polynomial : 0U);
    tables[0][byte] = value;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t value = tables[slice - 1][byte];
      tables[slice][byte] = (value >> 8U) ^ tables[0][value & 0xffU];
    }
  }
  return tables;
}

const Tables kCrc32Tables = make_tables(kCrc32Polynomial);
const Tables kCrc32cTables = make_tables(kCrc32cPolynomial);
const Tables kCrc64NvmeTables = make_tables(kCrc64NvmePolynomial);

// Eight bytes a step ("slicing by 8"): the register is at most as wide as that, so one load holds
// all of it.
class Crc {
 public:
  Crc(const Tables& tables, unsigned bytes) : tables_(&tables), bytes_(bytes) {
    value_ = bytes == 8 ? ~std::uint64_t{0} : 0xffffffffU;
    final_xor_ = value_;
  }

  void update(std::string_view bytes) {
    static_assert(std::endian::native == std::endian::little);
    while (bytes.size() >= kSlices) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data(), sizeof word);
      word ^= value_;
      value_ = 0;
      for (std::size_t i = 0; i < kSlices; ++i) {
        value_ ^= (*tables_)[kSlices - 1 - i][(word >> (8 * i)) & 0xffU];
      }
      bytes.remove_prefix(kSlices);
    }
    for (const char c : bytes) {
      value_ = (value_ >> 8U) ^ (*tables_)[0][(value_ ^ static_cast<unsigned char>(c)) & 0xffU];
    }
  }

  [[nodiscard]] std::string finish() const {
    std::string big_endian;
    for (unsigned i = bytes_; i > 0; --i) {
      big_endian += static_cast<char>(((value_ ^ final_xor_) >> (8 * (i - 1))) & 0xffU);
    }
    return big_endian;
  }

 private:
  const Tables* tables_;
  unsigned bytes_;
  std::uint64_t value_;
  std::uint64_t final_xor_;
};

std::variant<Crc, trust::Sha256Stream> make_state(ChecksumAlgorithm algorithm) {
  switch (algorithm) {
    case ChecksumAlgorithm::crc32:
      return Crc(kCrc32Tables, 4);
    case ChecksumAlgorithm::crc32c:
      return Crc(kCrc32cTables, 4);
    case ChecksumAlgorithm::crc64nvme:
      return Crc(kCrc64NvmeTables, 8);
    case ChecksumAlgorithm::sha256:
      break;
  }
  return trust::Sha256Stream();
}

}  // namespace

std::string_view header_name(ChecksumAlgorithm algorithm) {
  switch (algorithm) {
    case ChecksumAlgorithm::crc32:
      return "x-amz-checksum-crc32";
    case ChecksumAlgorithm::crc32c:
      return "x-amz-checksum-crc32c";
    case ChecksumAlgorithm::crc64nvme:
      return "x-amz-checksum-crc64nvme";
    case ChecksumAlgorithm::sha256:
      break;
  }
  return "x-amz-checksum-sha256";
}

std::optional<ChecksumAlgorithm> parse_checksum_header(std::string_view name) {
  for (const ChecksumAlgorithm algorithm : kChecksumAlgorithms) {
    if (header_name(algorithm) == name) return algorithm;
  }
  return std::nullopt;
}

struct Checksum::State {
  std::variant<Crc, trust::Sha256Stream> digest;
};

Checksum::Checksum(ChecksumAlgorithm algorithm)
    : state_(std::make_unique<State>(State{make_state(algorithm)})) {}
Checksum::Checksum(Checksum&&) noexcept = default;
Checksum& Checksum::operator=(Checksum&&) noexcept = default;
Checksum::~Checksum() = default;

void Checksum::update(std::string_view bytes) {
  std::visit([&](auto& digest) { digest.update(bytes); }, state_->digest);
}

std::string Checksum::finish() {
  if (const auto* crc = std::get_if<Crc>(&state_->digest)) return base::to_base64(crc->finish());
  const trust::Sha256 digest = std::get<trust::Sha256Stream>(state_->digest).finish();
  return base::to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace andon::api
