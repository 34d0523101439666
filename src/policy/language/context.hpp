// SPDX-License-Identifier: Apache-2.0
// Room: language. Policies as text: documents, patterns, conditions.
// What a request says of itself, for conditions and variables: condition keys (aws:username,
// s3:prefix) with their values. Keys are compared without case. A value; one thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace andon::policy {

class Context {
 public:
  // The values of a key that is there already are replaced. None: the key is absent.
  void set(std::string_view key, std::vector<std::string> values);
  void set(std::string_view key, std::string value);
  // All of another one's.
  void add(const Context& other);
  // Null where the key is absent. `lowered` is in lower case.
  [[nodiscard]] const std::vector<std::string>* find(std::string_view lowered) const;

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> entries_;
};

}  // namespace andon::policy
