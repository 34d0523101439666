// SPDX-License-Identifier: Apache-2.0
#include "trust/openssl/openssl_pem.hpp"

namespace andon::trust {

std::string openssl_reason() {
  const char* data = nullptr;
  int flags = 0;
  const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags);
  // Ours says more than its number (delegated_key.cpp).
  const bool is_ours = ERR_GET_LIB(code) == ERR_LIB_USER && (flags & ERR_TXT_STRING) != 0;
  const char* const found = code == 0 ? nullptr : (is_ours ? data : ERR_reason_error_string(code));
  std::string reason = found == nullptr ? "no reason given" : found;
  ERR_clear_error();
  return reason;
}

void require_openssl(bool worked, std::string_view what) {
  if (!worked) {
    throw base::Error(base::ErrorCode::internal,
                      "cannot " + std::string(what) + ": OpenSSL says: " + openssl_reason());
  }
}

int no_pem_password(char*, int, int, void*) {
  return -1;
}

}  // namespace andon::trust
