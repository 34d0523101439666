// SPDX-License-Identifier: Apache-2.0
// The checksums that S3 clients send with a body (x-amz-checksum-...): CRC-32, CRC-32C, CRC-64/NVME
// and SHA-256. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace andon::api {

enum class ChecksumAlgorithm { crc32, crc32c, crc64nvme, sha256 };

inline constexpr std::array<ChecksumAlgorithm, 4> kChecksumAlgorithms{
    ChecksumAlgorithm::crc32, ChecksumAlgorithm::crc32c, ChecksumAlgorithm::crc64nvme,
    ChecksumAlgorithm::sha256};

// Of a whole upload: of its content, or of its parts' checksums ("<base64>-<parts>").
enum class ChecksumType { full_object, composite };

[[nodiscard]] std::string_view algorithm_name(ChecksumAlgorithm algorithm);  // "CRC32"
[[nodiscard]] std::optional<ChecksumAlgorithm> parse_algorithm_name(std::string_view name);
// Of the base64 values of the parts, in order.
[[nodiscard]] std::string composite_checksum(ChecksumAlgorithm algorithm,
                                             const std::vector<std::string>& parts);

[[nodiscard]] std::string_view header_name(ChecksumAlgorithm algorithm);  // "x-amz-checksum-crc32"
[[nodiscard]] std::optional<ChecksumAlgorithm> parse_checksum_header(std::string_view name);

// Incremental: update() any number of times, then finish() once.
class Checksum {
 public:
  explicit Checksum(ChecksumAlgorithm algorithm);
  Checksum(Checksum&&) noexcept;
  Checksum& operator=(Checksum&&) noexcept;
  ~Checksum();

  void update(std::string_view bytes);
  [[nodiscard]] std::string finish();  // base64 of the big-endian value, as S3 has it

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace andon::api
