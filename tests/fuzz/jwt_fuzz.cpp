// SPDX-License-Identifier: Apache-2.0
// A token and a key set as anybody may send them, a line end between the two.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error/error.hpp"
#include "trust/keys/jwt.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon::trust;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  const std::string_view token_text = text.substr(0, end);
  const std::string_view set_text =
      end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  std::vector<Jwk> keys;
  try {
    keys = read_jwks(set_text);
  } catch (const andon::base::Error&) {
    keys.clear();
  }
  try {
    const Jwt token = read_jwt(token_text);
    for (const Jwk& key : keys) (void)is_signed_by(token, key);
  } catch (const andon::base::Error&) {
    return 0;
  }
  return 0;
}
