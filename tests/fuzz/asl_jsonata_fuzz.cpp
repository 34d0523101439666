// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string_view>

#include "query/jsonata/evaluate/jsonata.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  static const base::json::value input = base::parse_json(
      R"({"a":[{"b":1,"c":"x"},{"b":2,"c":"y"}],"t":"foo 12-34","n":[5,3,9],"o":{"k":null}})", "d");
  query::Random random(1);
  query::jsonata::Environment environment;
  environment.input = &input;
  environment.random = &random;
  environment.limits = {.depth = 150, .steps = 100'000, .bytes = 16U << 20U};
  try {
    (void)query::jsonata::Expression::parse({reinterpret_cast<const char*>(data), size})
        .evaluate(environment);
  } catch (const query::jsonata::Error&) {
  }
  return 0;
}
