// SPDX-License-Identifier: Apache-2.0
#include "query/document/hash.hpp"

#include <openssl/evp.h>

#include <array>
#include <map>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::query {

std::optional<std::string> hash_text(std::string_view algorithm, std::string_view data) {
  static const std::map<std::string_view, const char*> names = {{"MD5", "MD5"},
                                                                {"SHA-1", "SHA1"},
                                                                {"SHA-256", "SHA256"},
                                                                {"SHA-384", "SHA384"},
                                                                {"SHA-512", "SHA512"}};
  const auto found = names.find(algorithm);
  if (found == names.end()) return std::nullopt;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(data.data(), data.size(), digest.data(), &size,
                 EVP_get_digestbyname(found->second), nullptr) != 1) {
    throw base::Error(base::ErrorCode::internal,
                      "cannot compute a " + std::string(algorithm) + " digest");
  }
  return base::to_hex({digest.data(), size});
}

}  // namespace andon::query
