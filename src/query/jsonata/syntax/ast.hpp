// SPDX-License-Identifier: Apache-2.0
// The syntax tree of a JSONata expression, before and after the pass that turns chains of '.' into
// paths. Internal to asl; immutable once the expression is made.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "query/jsonata/syntax/signature.hpp"
#include "query/regex/regex.hpp"

namespace andon::query::jsonata {

enum class NodeKind : std::uint8_t {
  name,
  variable,
  string,
  number,
  value,  // true, false, null
  regex,
  wildcard,
  descendant,
  parent,
  placeholder,  // '?' as an argument: partial application
  unary_minus,
  list,
  object,
  binary,
  path,
  bind,
  apply,
  condition,
  block,
  function,
  partial,
  lambda,
  transform,
  sort,
};

// Where a '%' gets its value from: the step that is `level` steps before it binds `label`.
struct AncestorSlot {
  std::string label;
  int level = 1;
};
using SlotPtr = std::shared_ptr<AncestorSlot>;

struct Node;
using NodePtr = std::shared_ptr<Node>;
using NodePair = std::pair<NodePtr, NodePtr>;

struct SortTerm {
  bool descending = false;
  NodePtr expression;
};

struct Stage {
  NodePtr filter;     // or null:
  std::string index;  // the variable that counts
};

struct Group {
  std::vector<NodePair> pairs;
  std::size_t position = 0;
};

struct Node {
  NodeKind kind = NodeKind::value;
  std::size_t position = 0;
  std::size_t depth = 1;  // of the tree below
  std::string text;       // name, operator, string, variable without '$'
  double number = 0;
  std::shared_ptr<const Regex> regex;

  NodePtr left;                   // also: operand, condition, procedure, lambda body, pattern
  NodePtr right;                  // also: then, update
  NodePtr third;                  // also: else, delete
  std::vector<NodePtr> children;  // steps, expressions, arguments, parameters
  std::vector<NodePair> pairs;
  std::vector<SortTerm> terms;
  std::shared_ptr<const Signature> signature;
  bool thunk = false;  // a call in tail position, made by the loop that called its function

  std::vector<Stage> predicates;  // of a node that is no path
  std::vector<Stage> stages;      // of a step
  std::unique_ptr<Group> group;
  bool keep_array = false;
  bool keep_singleton = false;
  bool constructs = false;  // a [...] step: its lists are not flattened
  bool tuple = false;
  std::string focus;  // @$name
  std::string index;  // #$name
  SlotPtr ancestor;
  SlotPtr slot;  // of a '%'
  std::vector<SlotPtr> seeking;
};

}  // namespace andon::query::jsonata
