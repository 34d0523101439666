// SPDX-License-Identifier: Apache-2.0
// A JSON document that many look at and nobody changes. Pure; any thread. Data may point into a
// larger document, which it then keeps alive: an item of a list of 100,000 is handed on without a
// copy.
#pragma once

#include <memory>
#include <utility>

#include "base/json/json.hpp"

namespace andon::query {

namespace json = base::json;

using Data = std::shared_ptr<const json::value>;

[[nodiscard]] inline Data make_data(json::value value) {
  return std::make_shared<const json::value>(std::move(value));
}

// `inside` must be part of `*whole`.
[[nodiscard]] inline Data part_of(const Data& whole, const json::value& inside) {
  return {whole, &inside};
}

}  // namespace andon::query
