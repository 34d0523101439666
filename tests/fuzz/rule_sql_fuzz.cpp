// SPDX-License-Identifier: Apache-2.0
// A topic rule's SQL and a message that it is asked about: the bytes before and after a zero byte.
// The same text is read as one with ${...} in it.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error/error.hpp"
#include "query/rulesql/rule_sql.hpp"

namespace {

template <typename Act>
void attempt(Act act) {
  try {
    act();
  } catch (const andon::base::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\0');
  const std::string_view bytes =
      end == std::string_view::npos ? R"({"a":{"b":[1,"x",null]}})" : text.substr(end + 1);
  std::optional<base::json::value> payload;
  attempt([&] { payload = base::parse_json(bytes, "message", {.max_bytes = 64U << 10U}); });
  const query::RuleMessage message{.topic = "plant/line-4/oven",
                                   .payload = payload ? &*payload : nullptr,
                                   .bytes = bytes,
                                   .account = "000000000000",
                                   .trace_id = "trace",
                                   .time = base::from_epoch_millis(1'795'343'912'345)};
  attempt([&] { (void)query::RuleSql(text.substr(0, end)).select(message); });
  attempt([&] { (void)query::RuleText(text.substr(0, end)).fill(message); });
  return 0;
}
