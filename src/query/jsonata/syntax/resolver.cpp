// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "query/jsonata/syntax/error.hpp"
#include "query/jsonata/syntax/parser.hpp"

namespace andon::query::jsonata {
namespace {

class Resolver {
 public:
  NodePtr resolve(const NodePtr& source) {
    NodePtr node = resolve_kind(source);
    if (source->keep_array) node->keep_array = true;
    return node;
  }

 private:
  static NodePtr make(NodeKind kind, const Node& source) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->text = source.text;
    node->position = source.position;
    return node;
  }

  static NodePtr make_path(const NodePtr& step) {
    auto node = make(NodeKind::path, *step);
    node->children.push_back(step);
    return node;
  }

  NodePtr resolve_kind(const NodePtr& source) {
    switch (source->kind) {
      case NodeKind::name: {
        NodePtr path = make_path(source);
        path->keep_singleton = source->keep_array;
        return path;
      }
      case NodeKind::parent: {
        NodePtr node = make(NodeKind::parent, *source);
        node->slot = std::make_shared<AncestorSlot>();
        node->slot->label = "!" + std::to_string(parents_++);
        return node;
      }
      case NodeKind::unary_minus:
        return resolve_minus(*source);
      case NodeKind::list:
      case NodeKind::block:
        return resolve_children(*source);
      case NodeKind::object: {
        NodePtr node = make(NodeKind::object, *source);
        for (const auto& [key, value] : source->pairs) {
          node->pairs.emplace_back(resolve_part(*node, key), resolve_part(*node, value));
        }
        return node;
      }
      case NodeKind::binary:
        return resolve_binary(*source);
      case NodeKind::condition: {
        NodePtr node = make(NodeKind::condition, *source);
        node->left = resolve_part(*node, source->left);
        node->right = resolve_part(*node, source->right);
        if (source->third != nullptr) node->third = resolve_part(*node, source->third);
        return node;
      }
      case NodeKind::function:
      case NodeKind::partial: {
        NodePtr node = make(source->kind, *source);
        for (const NodePtr& argument : source->children) {
          node->children.push_back(resolve_part(*node, argument));
        }
        node->left = resolve(source->left);
        return node;
      }
      case NodeKind::lambda: {
        NodePtr node = make(NodeKind::lambda, *source);
        node->children = source->children;
        node->signature = source->signature;
        node->left = with_tail_calls(resolve(source->left));
        return node;
      }
      case NodeKind::transform: {
        NodePtr node = make(NodeKind::transform, *source);
        node->left = resolve(source->left);
        node->right = resolve(source->right);
        if (source->third != nullptr) node->third = resolve(source->third);
        return node;
      }
      default:
        return source;
    }
  }

  NodePtr resolve_part(Node& whole, const NodePtr& part) {
    NodePtr node = resolve(part);
    push_ancestry(whole, *node);
    return node;
  }

  NodePtr resolve_minus(const Node& source) {
    NodePtr node = make(NodeKind::unary_minus, source);
    node->left = resolve(source.left);
    if (node->left->kind == NodeKind::number) {
      NodePtr number = make(NodeKind::number, *node->left);
      number->number = -node->left->number;
      return number;
    }
    push_ancestry(*node, *node->left);
    return node;
  }

  NodePtr resolve_children(const Node& source) {
    NodePtr node = make(source.kind, source);
    for (const NodePtr& child : source.children) {
      NodePtr part = resolve_part(*node, child);
      const bool constructs =
          part->constructs || (part->kind == NodeKind::path && part->children.front()->constructs);
      if (source.kind == NodeKind::block && constructs) node->constructs = true;
      node->children.push_back(std::move(part));
    }
    return node;
  }

  NodePtr resolve_binary(const Node& source) {
    const std::string& op = source.text;
    if (op == ".") return resolve_step(source);
    if (op == "[") return resolve_predicate(source);
    if (op == "{") return resolve_group(source);
    if (op == "^") return resolve_order(source);
    if (op == "@") return resolve_focus(source);
    if (op == "#") return resolve_index(source);
    NodePtr node = make(op == ":="   ? NodeKind::bind
                        : op == "~>" ? NodeKind::apply
                                     : NodeKind::binary,
                        source);
    node->left = resolve(source.left);
    node->right = resolve(source.right);
    if (op == "~>") {
      node->keep_array = node->left->keep_array || node->right->keep_array;
      return node;
    }
    if (op != ":=") push_ancestry(*node, *node->left);
    push_ancestry(*node, *node->right);
    return node;
  }

  NodePtr resolve_step(const Node& source) {
    const NodePtr left = resolve(source.left);
    const NodePtr path = left->kind == NodeKind::path ? left : make_path(left);
    if (left->kind == NodeKind::parent) path->seeking = {left->slot};
    const NodePtr rest = resolve(source.right);
    if (rest->kind == NodeKind::path) {
      path->children.insert(path->children.end(), rest->children.begin(), rest->children.end());
    } else {
      std::ranges::move(rest->predicates, std::back_inserter(rest->stages));
      rest->predicates.clear();
      path->children.push_back(rest);
    }
    for (NodePtr& step : path->children) {
      if (step->kind == NodeKind::number || step->kind == NodeKind::value) {
        throw Error("S0213",
                    "The literal value " + step->text +
                        " cannot be used as a step within a path expression",
                    step->position);
      }
      if (step->kind == NodeKind::string) {
        step = std::make_shared<Node>(copy_literal(*step));
        step->kind = NodeKind::name;
      }
      if (step->keep_array) path->keep_singleton = true;
    }
    if (path->children.front()->kind == NodeKind::list) path->children.front()->constructs = true;
    if (path->children.back()->kind == NodeKind::list) path->children.back()->constructs = true;
    resolve_ancestry(*path);
    return path;
  }

  static Node copy_literal(const Node& literal) {
    Node copy;
    copy.kind = literal.kind;
    copy.text = literal.text;
    copy.position = literal.position;
    copy.stages = literal.stages;
    copy.keep_array = literal.keep_array;
    return copy;
  }

  NodePtr resolve_predicate(const Node& source) {
    NodePtr node = resolve(source.left);
    const bool of_path = node->kind == NodeKind::path;
    const NodePtr step = of_path ? node->children.back() : node;
    if (step->group != nullptr) {
      throw Error("S0209", "A predicate cannot follow a grouping expression in a step",
                  source.position);
    }
    NodePtr filter = resolve(source.right);
    if (!filter->seeking.empty()) {
      for (const SlotPtr& slot : filter->seeking) {
        if (slot->level == 1) {
          seek_parent(*step, slot);
        } else {
          --slot->level;
        }
      }
      push_ancestry(*step, *filter);
    }
    (of_path ? step->stages : step->predicates).push_back({std::move(filter), ""});
    return node;
  }

  NodePtr resolve_group(const Node& source) {
    NodePtr node = resolve(source.left);
    if (node->group != nullptr) {
      throw Error("S0210", "Each step can only have one grouping expression", source.position);
    }
    node->group = std::make_unique<Group>();
    node->group->position = source.position;
    for (const auto& [key, value] : source.pairs) {
      NodePtr resolved_key = resolve(key);
      NodePtr resolved_value = resolve(value);
      node->group->pairs.emplace_back(std::move(resolved_key), std::move(resolved_value));
    }
    return node;
  }

  NodePtr resolve_order(const Node& source) {
    NodePtr node = resolve(source.left);
    if (node->kind != NodeKind::path) node = make_path(node);
    NodePtr sort = make(NodeKind::sort, source);
    for (const SortTerm& term : source.terms) {
      sort->terms.push_back({term.descending, resolve_part(*sort, term.expression)});
    }
    node->children.push_back(sort);
    resolve_ancestry(*node);
    return node;
  }

  NodePtr resolve_focus(const Node& source) {
    NodePtr node = resolve(source.left);
    const NodePtr step = node->kind == NodeKind::path ? node->children.back() : node;
    if (!step->stages.empty() || !step->predicates.empty()) {
      throw Error("S0215", "A context variable binding must precede any predicates on a step",
                  source.position);
    }
    if (step->kind == NodeKind::sort) {
      throw Error("S0216",
                  "A context variable binding must precede the 'order-by' clause on a step",
                  source.position);
    }
    if (source.keep_array) step->keep_array = true;
    step->focus = source.right->text;
    step->tuple = true;
    return node;
  }

  NodePtr resolve_index(const Node& source) {
    NodePtr node = resolve(source.left);
    NodePtr step = node;
    if (node->kind == NodeKind::path) {
      step = node->children.back();
    } else {
      node = make_path(node);
      std::ranges::move(step->predicates, std::back_inserter(step->stages));
      step->predicates.clear();
    }
    if (step->stages.empty()) {
      step->index = source.right->text;
    } else {
      step->stages.push_back({nullptr, source.right->text});
    }
    step->tuple = true;
    return node;
  }

  static NodePtr with_tail_calls(const NodePtr& node) {
    if (node->kind == NodeKind::function && node->predicates.empty()) {
      NodePtr thunk = make(NodeKind::lambda, *node);
      thunk->thunk = true;
      thunk->left = node;
      return thunk;
    }
    if (node->kind == NodeKind::condition) {
      node->right = with_tail_calls(node->right);
      if (node->third != nullptr) node->third = with_tail_calls(node->third);
    } else if (node->kind == NodeKind::block && !node->children.empty()) {
      node->children.back() = with_tail_calls(node->children.back());
    }
    return node;
  }

  static void push_ancestry(Node& whole, const Node& part) {
    whole.seeking.insert(whole.seeking.end(), part.seeking.begin(), part.seeking.end());
    if (part.kind == NodeKind::parent) whole.seeking.push_back(part.slot);
  }

  // One step back from where `slot` looks; binds it there when that was the last one.
  void seek_parent(Node& node, const SlotPtr& slot) {
    switch (node.kind) {
      case NodeKind::name:
      case NodeKind::wildcard:
        if (--slot->level == 0) {
          if (node.ancestor != nullptr) slot->label = node.ancestor->label;
          node.ancestor = slot;
          node.tuple = true;
        }
        break;
      case NodeKind::parent:
        ++slot->level;
        break;
      case NodeKind::block:
        if (!node.children.empty()) {
          node.tuple = true;
          seek_parent(*node.children.back(), slot);
        }
        break;
      case NodeKind::path: {
        node.tuple = true;
        std::size_t index = node.children.size();
        seek_parent(*node.children[--index], slot);
        while (slot->level > 0 && index > 0) seek_parent(*node.children[--index], slot);
        break;
      }
      default:
        throw Error("S0217",
                    "The object representing the 'parent' cannot be derived from this expression",
                    node.position);
    }
  }

  void resolve_ancestry(Node& path) {
    const Node& last = *path.children.back();
    std::vector<SlotPtr> slots = last.seeking;
    if (last.kind == NodeKind::parent) slots.push_back(last.slot);
    for (const SlotPtr& slot : slots) {
      auto index = static_cast<std::ptrdiff_t>(path.children.size()) - 2;
      while (slot->level > 0) {
        if (index < 0) {
          path.seeking.push_back(slot);
          break;
        }
        const auto step_at = [&path](std::ptrdiff_t at) -> Node& {
          return *path.children[static_cast<std::size_t>(at)];
        };
        Node* step = &step_at(index--);
        // A step that binds a variable leaves the context where it was.
        while (index >= 0 && !step->focus.empty() && !step_at(index).focus.empty()) {
          step = &step_at(index--);
        }
        seek_parent(*step, slot);
      }
    }
  }

  std::size_t parents_ = 0;
};

}  // namespace

NodePtr resolve_tree(const NodePtr& source) {
  NodePtr tree = Resolver().resolve(source);
  if (tree->kind == NodeKind::parent || !tree->seeking.empty()) {
    throw Error("S0217",
                "The object representing the 'parent' cannot be derived from this expression",
                tree->position);
  }
  return tree;
}

}  // namespace andon::query::jsonata
