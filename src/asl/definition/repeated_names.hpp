// SPDX-License-Identifier: Apache-2.0
// States of one name, which a JSON object cannot show: of members with the same name it keeps the
// last. Internal to asl; pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace andon::asl {

struct RepeatedName {
  std::string name;
  std::string location;  // "/States/X"
};

// In `definition`, which must be valid JSON: each name that an object "States" has once more.
[[nodiscard]] std::vector<RepeatedName> repeated_state_names(std::string_view definition);

}  // namespace andon::asl
