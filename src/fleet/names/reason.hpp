// SPDX-License-Identifier: Apache-2.0
// Why a server refuses, as a word for programs: the member "reason" beside AWS's "message", where
// AWS's own error type says too little. Clients of AWS leave it alone; andon's own read it and
// never the message, which is for people.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/error/error.hpp"

namespace andon::fleet {

inline constexpr std::string_view kReasonMember = "reason";

// There are versions that satisfy who asks, but none of them has a manifest for the device.
inline constexpr std::string_view kPlatformNotSupported = "PLATFORM_NOT_SUPPORTED";
// What should be made is there.
inline constexpr std::string_view kAlreadyExists = "ALREADY_EXISTS";

// An error with such a word. `reason` is one of the constants above.
class Refusal : public base::Error {
 public:
  Refusal(base::ErrorCode code, std::string_view reason, std::string message)
      : Error(code, std::move(message)), reason_(reason) {}
  [[nodiscard]] std::string_view reason() const { return reason_; }

 private:
  std::string_view reason_;
};

// The word that an answer to `error` carries; "" where its type says all.
[[nodiscard]] inline std::string_view reason_of(const base::Error& error) {
  if (const auto* refusal = dynamic_cast<const Refusal*>(&error)) return refusal->reason();
  return error.code() == base::ErrorCode::already_exists ? kAlreadyExists : std::string_view();
}

}  // namespace andon::fleet
