// SPDX-License-Identifier: Apache-2.0
// What states hand on: query's documents under the language's own roof.
#pragma once

#include "query/document/data.hpp"

namespace andon::asl {

namespace json = base::json;

using query::Data;
using query::make_data;
using query::part_of;

}  // namespace andon::asl
