// SPDX-License-Identifier: Apache-2.0
#include "wire/http/http_tls.hpp"

#include <openssl/x509v3.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/error/error.hpp"

namespace andon::wire {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

void require_tls(bool ok, std::string_view what) {
  if (!ok) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "the server's TLS " + std::string(what) + " cannot be used; is it PEM?");
  }
}

asio::const_buffer buffer_of(const std::string& text) {
  return {text.data(), text.size()};
}

std::unique_ptr<asio::ssl::context> make_context(const TlsServerOptions& options) {
  auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX* ssl = context->native_handle();
  error_code error;
  context->use_certificate_chain(buffer_of(options.certificate_chain_pem), error);
  require_tls(!error, "certificate");
  context->use_private_key(buffer_of(options.private_key_pem), asio::ssl::context::pem, error);
  require_tls(!error && SSL_CTX_check_private_key(ssl) == 1, "private key");
  if (!options.client_ca_pem.empty()) {
    context->add_certificate_authority(buffer_of(options.client_ca_pem), error);
    require_tls(!error, "client CA");
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  }
  SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
  // No session is resumed: each connection verifies the client's certificate anew, and the server
  // remembers nothing of connections that are gone.
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(ssl, 0);
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
  return context;
}

bool has_addresses(X509* certificate) {
  struct Free {
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  };
  const std::unique_ptr<GENERAL_NAMES, Free> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    if (sk_GENERAL_NAME_value(names.get(), i)->type == GEN_IPADD) return true;
  }
  return false;
}

}  // namespace

TlsCertificates::TlsCertificates(const TlsServerOptions& own)
    : own_(make_context(own)), own_here_(make_context(own)) {
  // Called once the client's hello is there, and before a certificate is chosen by it.
  SSL_CTX_set_cert_cb(own_->native_handle(), &take_name<Unnamed::may_be_offered>, this);
  SSL_CTX_set_cert_cb(own_here_->native_handle(), &take_name<Unnamed::is_own>, this);
}

void TlsCertificates::offer(const TlsIdentity& identity) {
  Offered offered;
  offered.context = make_context({.certificate_chain_pem = identity.certificate_chain_pem,
                                  .private_key_pem = identity.private_key_pem,
                                  .client_ca_pem = {}});
  offered.is_for_addresses =
      has_addresses(SSL_CTX_get0_certificate(offered.context->native_handle()));
  // Connections hold what they have begun with.
  const std::lock_guard lock(mutex_);
  offered_ = std::move(offered);
}

template <TlsCertificates::Unnamed unnamed>
int TlsCertificates::take_name(SSL* ssl, void* certificates) {
  static_cast<const TlsCertificates*>(certificates)->choose(ssl, unnamed);
  return 1;
}

void TlsCertificates::choose(SSL* ssl, Unnamed unnamed) const {
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const std::lock_guard lock(mutex_);
  if (!offered_.context) return;
  SSL_CTX* const context = offered_.context->native_handle();
  const bool fits =
      name != nullptr ? X509_check_host(SSL_CTX_get0_certificate(context), name, 0, 0, nullptr) == 1
                      : unnamed == Unnamed::may_be_offered && offered_.is_for_addresses;
  if (fits) SSL_set_SSL_CTX(ssl, context);
}

}  // namespace andon::wire
