// SPDX-License-Identifier: Apache-2.0
// How recipes and deployment documents are read: keys in any case (or not: KeyCase), places as RFC
// 6901 pointers, and every problem collected. Lives within one parse; the value and `problems` must
// outlive it.
#pragma once

#include <string>
#include <utility>

#include "base/json/json_reader.hpp"
#include "recipe/reader/problem.hpp"

namespace andon::recipe {

namespace json = base::json;

enum class KeyCase { any, exact };

class MemberReader : public base::JsonReader {
 public:
  MemberReader(const json::value& value, std::string place, Problems& problems,
               KeyCase key_case = KeyCase::any)
      : JsonReader(value, std::move(place),
                   {.keys = key_case == KeyCase::any ? base::JsonReading::Keys::any_case
                                                     : base::JsonReading::Keys::exact,
                    .places = base::JsonReading::Places::as_pointer,
                    .texts = base::JsonReading::Texts::flags,
                    .problems = &problems}) {}
};

}  // namespace andon::recipe
