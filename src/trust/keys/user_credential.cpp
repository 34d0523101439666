// SPDX-License-Identifier: Apache-2.0
#include "trust/keys/user_credential.hpp"

#include "base/text/id.hpp"
#include "trust/digests/digest.hpp"

namespace andon::trust {

std::string make_password() {
  constexpr std::size_t kLength = 32;
  // Without letters that people take for others.
  return base::random_text(kLength, "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789");
}

std::string user_credential(std::string_view name, std::string_view password) {
  std::string text = "andon user";
  text.append(1, '\0').append(name).append(1, '\0').append(password);
  return sha256_hex(text);
}

}  // namespace andon::trust
