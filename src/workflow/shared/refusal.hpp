// SPDX-License-Identifier: Apache-2.0
// How a request is refused in the words of AWS Step Functions: the name of one of its errors
// ("StateMachineDoesNotExist") and its message. What has no name there is a base::Error.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace andon::workflow {

class Refusal final : public std::exception {
 public:
  // `reason`: of a ValidationException; empty: none.
  Refusal(std::string code, std::string message, std::string reason = {})
      : code_(std::move(code)), message_(std::move(message)), reason_(std::move(reason)) {}

  [[nodiscard]] const std::string& code() const { return code_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string code_;
  std::string message_;
  std::string reason_;
};

}  // namespace andon::workflow
