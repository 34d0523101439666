// SPDX-License-Identifier: Apache-2.0
#include "wire/tls/client_certificate.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/error/error.hpp"
#include "trust/keys/private_key.hpp"

namespace andon::wire {

void use_client_certificate(ssl_ctx_st* context, const std::string& certificate_file,
                            const std::string& private_key) {
  using base::Error;
  using base::ErrorCode;
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    ERR_clear_error();
    throw Error(ErrorCode::invalid_argument,
                "the certificate '" + certificate_file + "' cannot be read as PEM text");
  }
  const trust::PrivateKey key = trust::load_private_key(private_key);
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    throw Error(ErrorCode::invalid_argument,
                "the private key '" + private_key.substr(0, private_key.find('?')) +
                    "' does not belong to the certificate '" + certificate_file + "'");
  }
}

}  // namespace andon::wire
