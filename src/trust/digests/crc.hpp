// SPDX-License-Identifier: Apache-2.0
// Cyclic redundancy checks, which find damage by chance and not by intent: CRC-32 (IEEE 802.3),
// CRC-32C (Castagnoli, RFC 3720) and CRC-64/NVME. Eight bytes a step. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace andon::trust {

// Incremental: update() any number of times; value() may be asked at any time.
class Crc {
 public:
  [[nodiscard]] static Crc crc32();
  [[nodiscard]] static Crc crc32c();
  [[nodiscard]] static Crc crc64_nvme();

  void update(std::string_view bytes);
  [[nodiscard]] std::uint64_t value() const { return register_ ^ final_xor_; }

  static constexpr std::size_t kSlices = 8;
  using Tables = std::array<std::array<std::uint64_t, 256>, kSlices>;

 private:
  Crc(const Tables& tables, std::uint64_t all_ones)
      : tables_(&tables), register_(all_ones), final_xor_(all_ones) {}

  const Tables* tables_;
  std::uint64_t register_;
  std::uint64_t final_xor_;
};

[[nodiscard]] std::uint32_t crc32(std::string_view bytes);
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

}  // namespace andon::trust
