// SPDX-License-Identifier: Apache-2.0
// What two topic filters have in common. Pure; any thread.
#pragma once

#include <string_view>

namespace andon::rights {

// True where every topic that `filter` matches is matched by `right`, which is a filter, too.
// A wildcard as the first level of either does not match topics that begin with '$' (MQTT
// 5, 4.7.2).
[[nodiscard]] bool covers(std::string_view right, std::string_view filter);

// True where there may be a topic that both filters match.
[[nodiscard]] bool may_meet(std::string_view one, std::string_view other);

// "$share/<group>/<filter>" -> <filter>; others as they are.
[[nodiscard]] std::string_view without_share(std::string_view filter);

}  // namespace andon::rights
