// SPDX-License-Identifier: Apache-2.0
// JSONata source to syntax tree. Internal to asl; pure. Throws Error with codes S0xxx.
#pragma once

#include <string_view>

#include "query/jsonata/syntax/ast.hpp"

namespace andon::query::jsonata {

// Operator precedence parsing; the tree as written. Bounded: 256 KiB, 200 levels of nesting.
[[nodiscard]] NodePtr parse_source(std::string_view source);
// Chains of '.' become paths, predicates go to their steps, '%' finds its step, calls in tail
// position become thunks.
[[nodiscard]] NodePtr resolve_tree(const NodePtr& source);

// Whether a tree deeper than the evaluator may follow has been built.
inline constexpr std::size_t kMaxTreeDepth = 1'000;

}  // namespace andon::query::jsonata
