// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string_view>

#include "asl/data/intrinsic.hpp"
#include "base/error/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  query::Random random(1);
  asl::Scope scope;
  scope.input = asl::make_data(
      base::parse_json(R"({"s":"x,y","n":2.5,"l":[1,2,"1"],"o":{"k":1},"j":"{}"})", "input"));
  scope.random = &random;
  try {
    (void)asl::Intrinsic::parse({reinterpret_cast<const char*>(data), size})->evaluate(scope);
  } catch (const base::Error&) {
  } catch (const asl::Failure&) {
  }
  return 0;
}
