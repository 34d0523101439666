// SPDX-License-Identifier: Apache-2.0
// A text of a policy that something is compared with: with * and ?, and with ${keys} of the request
// in it. What a key is replaced by is never a wildcard. Compiled once; immutable, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/language/context.hpp"

namespace andon::policy {

enum class Fit : std::uint8_t { no, yes, unresolved };  // unresolved: a key has no value

struct PatternSyntax {
  enum class Wildcards : std::uint8_t { are_letters, match };
  enum class Variables : std::uint8_t { are_text, replace };
  enum class Case : std::uint8_t { matters, ignored };
  Wildcards wildcards = Wildcards::match;
  Variables variables = Variables::replace;
  Case letter_case = Case::matters;
};

class Pattern {
 public:
  // Throws invalid_argument saying what is wrong: control characters, a ${ without its end.
  Pattern(std::string_view text, const PatternSyntax& syntax);

  [[nodiscard]] Fit fit(std::string_view text, const Context& context) const;
  // As an ARN: each of the six parts between colons for itself.
  [[nodiscard]] Fit fit_arn(std::string_view text, const Context& context) const;

  // False where no value of the keys could make it fit: it begins otherwise. Cheap.
  [[nodiscard]] bool may_fit(std::string_view text) const {
    return letter_case_ == PatternSyntax::Case::ignored || text.starts_with(beginning_);
  }

  // As it was written.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool has_variables() const { return has_variables_; }
  [[nodiscard]] bool has_wildcards() const { return has_wildcards_; }
  // The longest part that each text that fits has in it; empty where a key stands for a part, and
  // where case is ignored.
  [[nodiscard]] std::string_view longest_literal() const;
  // With the request's keys in it. Nothing in `out` is good where it answers unresolved.
  [[nodiscard]] Fit expand(const Context& context, std::string& out) const;

 private:
  struct Piece {
    std::string text;  // wildcards as the bytes of pattern.cpp; or the key, in lower case
    bool is_variable = false;
    bool has_fallback = false;
    std::string fallback;  // ${key, 'fallback'}
  };
  void add_variable(std::string_view inside);

  std::string text_;
  std::vector<Piece> pieces_;
  std::string fixed_;      // all of it, where it has no variables
  std::string beginning_;  // before the first wildcard and the first key
  PatternSyntax::Case letter_case_;
  bool has_variables_ = false;
  bool has_wildcards_ = false;
};

}  // namespace andon::policy
