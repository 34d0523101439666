// SPDX-License-Identifier: Apache-2.0
#include "inspect/journal/picture_id.hpp"

#include <algorithm>
#include <cstring>

#include "inspect/journal/mix.hpp"
#include "trust/digests/digest.hpp"

namespace andon::inspect {

std::uint32_t status_of(std::int64_t changed_ns, std::uint64_t inode) {
  return short_mix(static_cast<std::uint64_t>(changed_ns), inode);
}

std::uint32_t digest_of(std::string_view content) {
  std::uint32_t start = 0;
  const trust::Sha256 digest = trust::sha256(content);
  std::memcpy(&start, digest.data(), sizeof start);
  return std::max(start, 1U);
}

}  // namespace andon::inspect
