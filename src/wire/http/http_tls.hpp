// SPDX-License-Identifier: Apache-2.0
// Which certificate a client of an HTTP server is shown: the server's own, or one that was offered
// since for names of its own. Internal to wire. Connections are
// made on the I/O thread; offer() may come from any.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <mutex>

#include "wire/http/http_server.hpp"

namespace andon::wire {

class TlsCertificates {
 public:
  // Throws invalid_argument for what OpenSSL cannot use.
  explicit TlsCertificates(const TlsServerOptions& own);
  TlsCertificates(const TlsCertificates&) = delete;
  TlsCertificates& operator=(const TlsCertificates&) = delete;
  ~TlsCertificates() = default;

  // As HttpServer::offer().
  void offer(const TlsIdentity& identity);

  // For a connection of this machine's own programs, or of another machine.
  [[nodiscard]] boost::asio::ssl::context& context(bool is_of_this_machine) {
    return is_of_this_machine ? *own_here_ : *own_;
  }

 private:
  using Context = boost::asio::ssl::context;
  struct Offered {
    std::unique_ptr<Context> context;
    bool is_for_addresses = false;
  };
  enum class Unnamed { may_be_offered, is_own };  // where a client asks for no name

  template <Unnamed unnamed>
  static int take_name(SSL* ssl, void* certificates);
  void choose(SSL* ssl, Unnamed unnamed) const;

  std::unique_ptr<Context> own_;
  std::unique_ptr<Context> own_here_;
  mutable std::mutex mutex_;  // guards what follows
  Offered offered_;
};

}  // namespace andon::wire
