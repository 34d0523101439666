// SPDX-License-Identifier: Apache-2.0
// Members of an operation's input and output as AWS's rest-json has them: numbers and flags that
// may come as text (from the query), opaque page tokens, times in seconds. Pure; any thread.
// Every reader throws invalid_argument naming the member.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/fwd.hpp"
#include "base/time/time.hpp"
#include "control/shared/page.hpp"

namespace andon::api {

namespace json = base::json;

[[nodiscard]] std::string required_text(const json::object& input, std::string_view key);
// Empty where it is absent.
[[nodiscard]] std::string text_or_empty(const json::object& input, std::string_view key);
// The same, of at most `most` bytes.
[[nodiscard]] std::string bounded_text(const json::object& input, std::string_view key,
                                       std::size_t most);
// An ISO 8601 time in milliseconds since the epoch; nothing where it is absent or empty.
[[nodiscard]] std::optional<std::int64_t> optional_time_ms(const json::object& input,
                                                           std::string_view key);
// One of `words`, or empty where it is absent.
[[nodiscard]] std::string word_or_empty(const json::object& input, std::string_view key,
                                        const std::vector<std::string_view>& words);
[[nodiscard]] std::optional<std::int64_t> optional_number(const json::object& input,
                                                          std::string_view key);
[[nodiscard]] bool flag(const json::object& input, std::string_view key);
// A map of texts; empty where it is absent.
[[nodiscard]] std::map<std::string, std::string> text_map(const json::object& input,
                                                          std::string_view key);

// Lists of texts, and of tags ({Key, Value}, in the member Tags); empty where they are absent. In a
// form an empty list is an empty text.
[[nodiscard]] std::vector<std::string> text_list(const json::object& input, std::string_view key);
[[nodiscard]] std::map<std::string, std::string> read_tag_list(const json::object& input);
[[nodiscard]] json::array tag_list(const std::map<std::string, std::string>& tags);

// maxResults and nextToken.
struct PageLimits {
  std::size_t standard = 50;
  std::size_t maximum = 100;
};
[[nodiscard]] control::PageRequest read_page(const json::object& input, const PageLimits& limits);
// A page's key as clients see it, and back: nothing for what no list has given.
[[nodiscard]] std::string to_page_token(const std::string& key);
[[nodiscard]] std::optional<std::string> from_page_token(std::string_view token);
// Puts nextToken where there is more.
void put_next(json::object& output, const std::optional<std::string>& next);

// Puts a text that AWS leaves out where it is empty.
void put_unless_empty(json::object& output, std::string_view key, std::string_view text);
[[nodiscard]] json::object to_object(const std::map<std::string, std::string>& map);
[[nodiscard]] json::array to_array(const std::vector<std::string>& list);

}  // namespace andon::api
