// SPDX-License-Identifier: Apache-2.0
// The names of JSON's types, for headers that take or give them by reference only. Who looks inside
// includes base/json/json.hpp.
#pragma once

#include <boost/json/fwd.hpp>

namespace andon::base {

namespace json = boost::json;

}  // namespace andon::base
