// SPDX-License-Identifier: Apache-2.0
#include "query/jsonata/evaluate/jsonata.hpp"

#include <algorithm>
#include <set>

#include "query/jsonata/evaluate/evaluator.hpp"
#include "query/jsonata/syntax/parser.hpp"

namespace andon::query::jsonata {
namespace {

// Finds the variables that a tree reads without binding them, and the names that it looks for in a
// context item outside of any path.
class References {
 public:
  std::set<std::string> variables;
  std::set<std::string> top_level;
  std::set<std::string> states;

  void visit(const Node& node, bool has_context) {
    const bool inside = has_context;
    switch (node.kind) {
      case NodeKind::variable:
        if (node.text.empty()) {
          if (!inside) top_level.insert("$");
        } else if (!bound_.contains(node.text) && find_native(node.text) == nullptr) {
          variables.insert(node.text);
        }
        break;
      case NodeKind::name:
        if (!inside) top_level.insert(node.text);
        break;
      case NodeKind::bind:
        visit(*node.right, inside);
        bound_.insert(node.left->text);
        break;
      case NodeKind::lambda: {
        const std::set<std::string> before = bound_;
        for (const NodePtr& parameter : node.children) bound_.insert(parameter->text);
        visit(*node.left, inside);
        bound_ = before;
        break;
      }
      case NodeKind::block: {
        const std::set<std::string> before = bound_;
        for (const NodePtr& child : node.children) visit(*child, inside);
        bound_ = before;
        break;
      }
      case NodeKind::path:
        visit_path(node, inside);
        break;
      case NodeKind::transform:
        visit(*node.left, true);
        visit(*node.right, true);
        if (node.third != nullptr) visit(*node.third, true);
        break;
      default:
        if (node.left != nullptr) visit(*node.left, inside);
        if (node.right != nullptr) visit(*node.right, inside);
        if (node.third != nullptr) visit(*node.third, inside);
        for (const NodePtr& child : node.children) visit(*child, inside);
        for (const auto& [key, value] : node.pairs) {
          visit(*key, inside);
          visit(*value, inside);
        }
    }
    visit_extras(node);
  }

 private:
  void visit_path(const Node& node, bool inside) {
    const Node& first = *node.children.front();
    if (first.kind == NodeKind::variable && first.text == "states" && node.children.size() > 1 &&
        node.children[1]->kind == NodeKind::name) {
      states.insert(node.children[1]->text);
    }
    bool has_context = inside;
    for (const NodePtr& step : node.children) {
      if (!step->focus.empty()) bound_.insert(step->focus);
      if (!step->index.empty()) bound_.insert(step->index);
      for (const Stage& stage : step->stages) {
        if (!stage.index.empty()) bound_.insert(stage.index);
      }
      visit(*step, has_context);
      has_context = true;
    }
  }

  void visit_extras(const Node& node) {
    for (const Stage& stage : node.predicates) visit(*stage.filter, true);
    for (const Stage& stage : node.stages) {
      if (stage.filter != nullptr) visit(*stage.filter, true);
    }
    for (const SortTerm& term : node.terms) visit(*term.expression, true);
    if (node.group != nullptr) {
      for (const auto& [key, value] : node.group->pairs) {
        visit(*key, true);
        visit(*value, true);
      }
    }
  }

  std::set<std::string> bound_;
};

}  // namespace

Expression Expression::parse(std::string_view source) {
  Expression expression;
  expression.source_ = source;
  const NodePtr root = resolve_tree(parse_source(source));
  References references;
  references.visit(*root, false);
  expression.root_ = root;
  expression.free_variables_.assign(references.variables.begin(), references.variables.end());
  expression.top_level_names_.assign(references.top_level.begin(), references.top_level.end());
  expression.states_members_.assign(references.states.begin(), references.states.end());
  return expression;
}

std::optional<base::json::value> Expression::evaluate(const Environment& environment) const {
  Evaluator evaluator(environment, *root_);
  const Value result = evaluator.run();
  if (result.is_undefined() || result.is_function()) return std::nullopt;
  return to_json(result);
}

}  // namespace andon::query::jsonata
