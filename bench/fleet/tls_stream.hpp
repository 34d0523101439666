// SPDX-License-Identifier: Apache-2.0
// A TLS connection that never blocks, for thousands of them in one thread. Owned by one device; an
// error closes it and is told by pump().
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace fleet_bench {

struct Identity {
  X509* certificate = nullptr;  // both are kept by who made them
  EVP_PKEY* key = nullptr;
};

class TlsStream {
 public:
  TlsStream(SSL_CTX* context, const sockaddr_in& address, const Identity& identity);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream();

  // Does what can be done now: the handshake, reading into input, writing what waits. False once
  // the connection is over.
  bool pump();
  void send(const std::string& bytes) { output_ += bytes; }
  [[nodiscard]] std::string& input() { return input_; }
  [[nodiscard]] bool is_open() const { return is_open_; }
  [[nodiscard]] bool wants_to_write() const { return !is_open_ || !output_.empty(); }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  bool goes_on(int result);
  bool read();
  bool write();

  int fd_ = -1;
  SSL* ssl_ = nullptr;
  bool is_open_ = false;
  std::string input_;
  std::string output_;
};

}  // namespace fleet_bench
