// SPDX-License-Identifier: Apache-2.0
// The rows of the table of honoured members (honoured_members.hpp), in two files by service. Pure;
// any thread.
#pragma once

#include <span>
#include <string_view>

namespace andon::api {

struct Honoured {
  std::string_view service;
  std::string_view operation;
  std::string_view members;  // as check_honoured() has them
};

[[nodiscard]] std::span<const Honoured> honoured_of_devices();
[[nodiscard]] std::span<const Honoured> honoured_of_services();

}  // namespace andon::api
