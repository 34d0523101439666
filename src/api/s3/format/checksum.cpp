// SPDX-License-Identifier: Apache-2.0
#include "api/s3/format/checksum.hpp"

#include <variant>

#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "trust/digests/crc.hpp"
#include "trust/digests/digest.hpp"

namespace andon::api {
namespace {

// Its value big-endian, as S3 has it.
struct CrcBytes {
  trust::Crc crc;
  unsigned bytes = 0;

  void update(std::string_view text) { crc.update(text); }
  [[nodiscard]] std::string finish() const {
    std::string big_endian;
    for (unsigned i = bytes; i > 0; --i) {
      big_endian += static_cast<char>((crc.value() >> (8 * (i - 1))) & 0xffU);
    }
    return big_endian;
  }
};

std::variant<CrcBytes, trust::Sha256Stream> make_state(ChecksumAlgorithm algorithm) {
  switch (algorithm) {
    case ChecksumAlgorithm::crc32:
      return CrcBytes{trust::Crc::crc32(), 4};
    case ChecksumAlgorithm::crc32c:
      return CrcBytes{trust::Crc::crc32c(), 4};
    case ChecksumAlgorithm::crc64nvme:
      return CrcBytes{trust::Crc::crc64_nvme(), 8};
    case ChecksumAlgorithm::sha256:
      break;
  }
  return trust::Sha256Stream();
}

}  // namespace

std::string_view algorithm_name(ChecksumAlgorithm algorithm) {
  switch (algorithm) {
    case ChecksumAlgorithm::crc32:
      return "CRC32";
    case ChecksumAlgorithm::crc32c:
      return "CRC32C";
    case ChecksumAlgorithm::crc64nvme:
      return "CRC64NVME";
    case ChecksumAlgorithm::sha256:
      break;
  }
  return "SHA256";
}

std::optional<ChecksumAlgorithm> parse_algorithm_name(std::string_view name) {
  for (const ChecksumAlgorithm algorithm : kChecksumAlgorithms) {
    if (base::equal_ignoring_case(algorithm_name(algorithm), name)) return algorithm;
  }
  return std::nullopt;
}

std::string composite_checksum(ChecksumAlgorithm algorithm, const std::vector<std::string>& parts) {
  Checksum all(algorithm);
  for (const std::string& part : parts) all.update(base::from_base64(part).value_or(""));
  return all.finish() + "-" + std::to_string(parts.size());
}

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
    if (base::equal_ignoring_case(header_name(algorithm), name)) return algorithm;
  }
  return std::nullopt;
}

struct Checksum::State {
  std::variant<CrcBytes, trust::Sha256Stream> digest;
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
  if (const auto* crc = std::get_if<CrcBytes>(&state_->digest))
    return base::to_base64(crc->finish());
  const trust::Sha256 digest = std::get<trust::Sha256Stream>(state_->digest).finish();
  return base::to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace andon::api
