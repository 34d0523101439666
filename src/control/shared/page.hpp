// SPDX-License-Identifier: Apache-2.0
// Lists in pages. A page goes on after the key of the last item of the one before, so items that
// come or go between two pages never shift the rest. Values.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace andon::control {

struct PageRequest {
  std::size_t limit = 50;
  std::string after;  // Page::next of the page before; empty for the first
};

template <typename Item>
struct Page {
  std::vector<Item> items;
  std::optional<std::string> next;  // set when there is more
};

}  // namespace andon::control
