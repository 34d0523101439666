// SPDX-License-Identifier: Apache-2.0
#include "tls_stream.hpp"

#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace fleet_bench {

TlsStream::TlsStream(SSL_CTX* context, const sockaddr_in& address, const Identity& identity) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) throw std::runtime_error("no socket: raise the limit of open files");
  (void)connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ssl_ = SSL_new(context);
  if (SSL_use_certificate(ssl_, identity.certificate) != 1 ||
      SSL_use_PrivateKey(ssl_, identity.key) != 1) {
    throw std::runtime_error("a device's certificate does not fit its key");
  }
  SSL_set_fd(ssl_, fd_);
  SSL_set_connect_state(ssl_);
}

TlsStream::~TlsStream() {
  SSL_free(ssl_);
  close(fd_);
}

bool TlsStream::goes_on(int result) {
  const int error = SSL_get_error(ssl_, result);
  ERR_clear_error();
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

bool TlsStream::pump() {
  if (!is_open_) {
    const int result = SSL_do_handshake(ssl_);
    if (result != 1) return goes_on(result);
    is_open_ = true;
  }
  return write() && read() && write();
}

bool TlsStream::read() {
  std::array<char, 16384> buffer;
  while (true) {
    const int count = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
    if (count <= 0) return goes_on(count);
    input_.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

bool TlsStream::write() {
  while (!output_.empty()) {
    const int count = SSL_write(ssl_, output_.data(), static_cast<int>(output_.size()));
    if (count <= 0) return goes_on(count);
    output_.erase(0, static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace fleet_bench
