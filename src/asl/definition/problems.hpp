// SPDX-License-Identifier: Apache-2.0
// What a definition's readers find wrong, collected up to a limit, and the checks of JSON that they
// share: each reports what does not fit and gives nothing then. `at` is the place of the object
// ("/States/X"). Internal to asl; lives for one reading.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "asl/definition/validator.hpp"

namespace andon::asl {

class Problems {
 public:
  using Names = std::vector<std::string_view>;
  enum class Type : std::uint8_t { text, object, list, boolean, integer, number };

  explicit Problems(const ValidationOptions& options) : options_(options) {}

  void report(std::string_view code, std::string message, std::string location,
              Severity severity = Severity::error);
  // With the code SCHEMA_VALIDATION_FAILED.
  void schema(std::string message, std::string location);
  [[nodiscard]] bool express() const { return options_.express; }
  [[nodiscard]] Validation take() { return std::move(result_); }

  void check_known(const json::object& object, const Names& known, const std::string& at);
  bool require_fields(const json::object& object, const Names& wanted, const std::string& at);
  // The member, where it is there and of that type.
  const json::value* typed(const json::object& object, std::string_view key, Type type,
                           const std::string& at);
  // Its text, or "".
  std::string text(const json::object& object, std::string_view key, const std::string& at);
  // Its text where it is one of `allowed`, else "".
  std::string one_of(const json::object& object, std::string_view key, const Names& allowed,
                     const std::string& at);
  void check_range(std::int64_t value, std::int64_t least, std::int64_t most,
                   const std::string& at);

 private:
  ValidationOptions options_;
  Validation result_;
};

}  // namespace andon::asl
