// SPDX-License-Identifier: Apache-2.0
// Random numbers that follow from a seed, so that a step repeated with the same event decides the
// same. Not thread-safe; one per step.
#pragma once

#include <cstdint>
#include <string>

namespace andon::query {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  [[nodiscard]] std::uint64_t next();
  [[nodiscard]] double uniform();     // [0, 1)
  [[nodiscard]] std::string uuid();   // version 4
  [[nodiscard]] std::string token();  // what a task answers with

 private:
  std::uint64_t state_;
};

}  // namespace andon::query
