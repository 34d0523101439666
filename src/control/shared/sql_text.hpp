// SPDX-License-Identifier: Apache-2.0
// Values as they are stored in text columns: JSON of maps and lists, and keys of pages.
// Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/fwd.hpp"
#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

using StringMap = std::map<std::string, std::string>;

[[nodiscard]] std::string to_stored(const StringMap& map);
[[nodiscard]] std::string to_stored(const std::vector<std::string>& list);
[[nodiscard]] std::string to_stored(const std::vector<StringMap>& list);
// Throw data_corrupted where the column does not hold what was stored.
[[nodiscard]] StringMap stored_map(const std::string& text);
[[nodiscard]] std::vector<std::string> stored_list(const std::string& text);
[[nodiscard]] std::vector<StringMap> stored_maps(const std::string& text);
[[nodiscard]] base::json::object stored_object(const std::string& text);

[[nodiscard]] inline std::int64_t to_stored(base::Timestamp time) {
  return base::to_epoch_millis(time);
}
[[nodiscard]] inline base::Timestamp stored_time(std::int64_t millis) {
  return base::from_epoch_millis(millis);
}

// A page key of a time and an id ("1795343912000:uuid"), for lists that are newest first. The key
// of the first page is later than everything.
[[nodiscard]] std::string time_key(std::int64_t millis, std::string_view id);
[[nodiscard]] std::pair<std::int64_t, std::string> read_time_key(std::string_view key);

}  // namespace andon::control
