// SPDX-License-Identifier: Apache-2.0
// What is asked about results: the members of ListResults, ExportResults and CountResults, as a
// JSON object.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/results/result_question.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace {

template <typename Work>
void attempt(const Work& work) {
  try {
    work();
  } catch (const andon::base::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  attempt([&] {
    const auto parsed = andon::base::parse_json(text, "the question");
    if (!parsed.is_object()) return;
    const auto& input = parsed.get_object();
    const andon::api::Members members = [](const std::string& group) {
      return std::vector<std::string>{group};
    };
    attempt([&] { (void)andon::api::read_result_grouping(input); });
    attempt([&] {
      const auto wanted =
          andon::api::read_result_question(input, {.standard = 100, .maximum = 1000}, members);
      if (wanted.place) (void)andon::api::result_place_text(*wanted.place);
    });
  });
  return 0;
}
