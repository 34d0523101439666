// SPDX-License-Identifier: Apache-2.0
// Secrets as they may lie in a database: sealed with a key that lies elsewhere (AES-256-GCM), and
// bound to what they belong to, so that one cannot be put in another's place. Pure but for the
// nonce, which is random; any thread.
#pragma once

#include <string>
#include <string_view>

namespace andon::trust {

class SealingKey {
 public:
  static constexpr std::size_t kBytes = 32;

  // Throws invalid_argument for another number of bytes.
  explicit SealingKey(std::string bytes);
  [[nodiscard]] static std::string make();  // fresh bytes for a key

  // `context` is what opens it again, and is not kept.
  [[nodiscard]] std::string seal(std::string_view secret, std::string_view context) const;
  // Throws data_corrupted: changed, or of another key or context.
  [[nodiscard]] std::string open(std::string_view sealed, std::string_view context) const;

 private:
  std::string bytes_;
};

}  // namespace andon::trust
