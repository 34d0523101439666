// SPDX-License-Identifier: Apache-2.0
#include "control/passwords/password_hash.hpp"

#include <argon2.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <semaphore>

#include "base/error/error.hpp"
#include "base/text/id.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::uint32_t kPasses = 2;
constexpr std::uint32_t kKibibytes = 19'456;
constexpr std::uint32_t kLanes = 1;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kMostText = 256;
constexpr std::ptrdiff_t kAtOnce = 2;
constexpr std::chrono::seconds kLongestWait{5};

// Memory and cores that guessing may have of the server.
class Turn {
 public:
  Turn() {
    if (slots().try_acquire_for(kLongestWait)) return;
    throw Error(ErrorCode::unavailable, "too many passwords are being checked; try again");
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { slots().release(); }

 private:
  static std::counting_semaphore<kAtOnce>& slots() {
    static std::counting_semaphore<kAtOnce> all(kAtOnce);
    return all;
  }
};

Error failed(int code) {
  return {code == ARGON2_MEMORY_ALLOCATION_ERROR ? ErrorCode::unavailable : ErrorCode::internal,
          std::string("a password could not be hashed: ") + argon2_error_message(code)};
}

// As hash_password() writes them, of a salt and a hash that are all zeros: no password has it.
const std::string& nobodys() {
  static const std::string text = "$argon2id$v=" + std::to_string(ARGON2_VERSION_NUMBER) +
                                  "$m=" + std::to_string(kKibibytes) +
                                  ",t=" + std::to_string(kPasses) + ",p=" + std::to_string(kLanes) +
                                  "$" + std::string(22, 'A') + "$" + std::string(43, 'A');
  return text;
}

}  // namespace

std::string hash_password(std::string_view password) {
  const Turn turn;
  const std::string salt = base::random_bytes(kSaltBytes);
  std::array<char, kMostText> text{};
  const int code =
      argon2id_hash_encoded(kPasses, kKibibytes, kLanes, password.data(), password.size(),
                            salt.data(), salt.size(), kHashBytes, text.data(), text.size());
  if (code != ARGON2_OK) throw failed(code);
  return text.data();
}

bool is_password(std::string_view password, const std::string& stored) {
  const Turn turn;
  const int code = argon2id_verify(stored.c_str(), password.data(), password.size());
  if (code == ARGON2_OK) return true;
  if (code == ARGON2_VERIFY_MISMATCH) return false;
  if (code == ARGON2_MEMORY_ALLOCATION_ERROR) throw failed(code);
  throw Error(ErrorCode::data_corrupted,
              std::string("a stored password cannot be read: ") + argon2_error_message(code));
}

void pretend_to_check(std::string_view password) {
  (void)is_password(password, nobodys());
}

}  // namespace andon::control
