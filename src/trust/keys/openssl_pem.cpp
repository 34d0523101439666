// SPDX-License-Identifier: Apache-2.0
#include "trust/keys/openssl_pem.hpp"

namespace andon::trust {

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "no reason given" : reason;
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
