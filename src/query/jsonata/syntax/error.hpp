// SPDX-License-Identifier: Apache-2.0
// What a JSONata expression fails with: a code of the language ("T2001") and its message.
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <utility>

namespace andon::query::jsonata {

class Error : public std::exception {
 public:
  // `message` without the code. `position` is the character of the expression, where known.
  Error(std::string code, std::string message, std::size_t position = 0)
      : code_(std::move(code)), message_(std::move(message)), position_(position) {
    text_ = code_.empty() ? message_ : code_ + ": " + message_;
  }

  [[nodiscard]] const std::string& code() const { return code_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string code_;
  std::string message_;
  std::size_t position_;
  std::string text_;
};

}  // namespace andon::query::jsonata
