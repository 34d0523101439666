// SPDX-License-Identifier: Apache-2.0
// Room: openssl. What those who call OpenSSL have in common: its errors as ours, and PEM text. Any
// thread.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "trust/openssl/openssl_pointers.hpp"
#include "trust/openssl/pem_limit.hpp"

namespace andon::trust {

using BioPtr = std::unique_ptr<BIO, Freer<BIO_free>>;

// The reason of the oldest OpenSSL error on this thread; leaves the queue empty.
[[nodiscard]] std::string openssl_reason();

// For calls that fail only without memory or by a defect of ours.
void require_openssl(bool worked, std::string_view what);

// Takes the place of OpenSSL's question for a password on the terminal.
int no_pem_password(char*, int, int, void*);

// Throws invalid_argument for text that is no `what` in PEM form.
template <typename Owner, typename Read>
Owner parse_pem(std::string_view pem, std::string_view what, Read read) {
  if (pem.size() > kMaxPemBytes) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "the " + std::string(what) + " has " + std::to_string(pem.size()) +
                          " bytes, more than the " + std::to_string(kMaxPemBytes) +
                          " that are allowed");
  }
  ERR_clear_error();
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  require_openssl(bio != nullptr, "read PEM text");
  Owner parsed(read(bio.get(), nullptr, no_pem_password, nullptr));
  if (!parsed) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "this is not a " + std::string(what) + " in PEM form: " + openssl_reason());
  }
  ERR_clear_error();
  return parsed;
}

}  // namespace andon::trust
