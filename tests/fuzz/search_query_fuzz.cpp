// SPDX-License-Identifier: Apache-2.0
// A query of fleet indexing is refused with its column, or says of each document the same whenever
// it is asked, and the opposite where it stands behind NOT.
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "query/search/search_query.hpp"

namespace {

using andon::query::SearchQuery;

bool asked(const SearchQuery& query) {
  return query.matches([](const std::string& field) -> std::vector<std::string> {
    if (field == "attributes.line") return {"4", "left (new)"};
    if (field == "connectivity.connected") return {"true"};
    return {};
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const SearchQuery query = SearchQuery::parse(text);
    const bool found = asked(query);
    if (found != asked(query)) std::abort();
    if (text.size() + 6 > andon::query::kMostQueryBytes) return 0;
    const std::string opposite = "NOT (" + std::string(text) + ")";
    try {
      if (found == asked(SearchQuery::parse(opposite))) std::abort();
    } catch (const andon::base::Error&) {
      return 0;  // too deep by one
    }
  } catch (const andon::base::Error&) {
    return 0;
  }
  return 0;
}
