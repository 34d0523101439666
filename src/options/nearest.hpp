// SPDX-License-Identifier: Apache-2.0
// What somebody meant who mistyped a name. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace andon::options {

// Of `names` the one that `typed` is most likely meant to be: it begins so ("tim": timeout), or a
// letter in three at most is wrong, missing, too many or swapped with its neighbour. Leading
// dashes do not count. Nothing where no name is so near; the first of those that are equally near.
[[nodiscard]] std::optional<std::string> nearest(std::string_view typed,
                                                 std::span<const std::string> names);

}  // namespace andon::options
