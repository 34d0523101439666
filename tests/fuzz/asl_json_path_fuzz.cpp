// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string_view>

#include "base/error/error.hpp"
#include "query/jsonpath/json_path.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  static const asl::Data document = asl::make_data(base::parse_json(
      R"({"a":[{"b":1,"c":"x"},{"b":2},[3,4]],"d":{"e":null,"f":[true,"yy"]},"n":[1,2,3]})", "d"));
  try {
    const auto path = query::JsonPath::parse({reinterpret_cast<const char*>(data), size});
    (void)path.evaluate(document);
    if (path.is_reference()) (void)path.insert(*document, base::json::value(1));
  } catch (const base::Error&) {
  } catch (const asl::Failure&) {
  }
  return 0;
}
