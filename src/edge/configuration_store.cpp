// SPDX-License-Identifier: Apache-2.0
#include "edge/configuration_store.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "recipe/configuration.hpp"

namespace andon::edge {
namespace {

using Paths = std::vector<std::vector<std::string>>;

void collect_changes(const json::object& before, const json::object& after,
                     std::vector<std::string>& at, Paths& found) {
  const auto note = [&](std::string_view key) {
    at.emplace_back(key);
    found.push_back(at);
    at.pop_back();
  };
  for (const auto& [key, value] : after) {
    const json::value* old = before.if_contains(key);
    if (old == nullptr) {
      note(key);
    } else if (old->is_object() && value.is_object()) {
      at.emplace_back(key);
      collect_changes(old->get_object(), value.get_object(), at, found);
      at.pop_back();
    } else if (*old != value) {
      note(key);
    }
  }
  for (const auto& [key, value] : before) {
    if (!after.contains(key)) note(key);
  }
}

// The patch {"a": {"b": value}} for the path a, b.
json::object wrap(const std::vector<std::string>& key_path, const json::value& value) {
  json::value patch = value;
  for (auto key = key_path.rbegin(); key != key_path.rend(); ++key) {
    json::object outer;
    outer[*key] = std::move(patch);
    patch = std::move(outer);
  }
  if (!patch.is_object()) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "the whole configuration can only be merged with an object");
  }
  return std::move(patch.get_object());
}

}  // namespace

std::vector<std::vector<std::string>> changed_paths(const json::object& before,
                                                    const json::object& after) {
  Paths found;
  std::vector<std::string> at;
  collect_changes(before, after, at, found);
  return found;
}

ConfigurationStore::ConfigurationStore(store::Database& database, const base::Clock& clock)
    : database_(database), clock_(clock) {
  database_.read([this](store::Transaction& transaction) {
    for (const store::Row& row :
         transaction.query("SELECT component, content, updated_ms FROM configuration")) {
      current_[row.text(0)] = base::parse_json(row.text(1), "saved configuration").as_object();
      updated_[row.text(0)] = base::from_epoch_millis(row.integer(2));
    }
  });
  resolved_ = current_;
}

const json::object* ConfigurationStore::find(std::string_view component) const {
  const auto found = current_.find(std::string(component));
  return found == current_.end() ? nullptr : &found->second;
}

const json::value* ConfigurationStore::find_at(std::string_view component,
                                               const std::vector<std::string>& key_path) const {
  const json::object* at = find(component);
  const json::value* value = nullptr;
  for (const std::string& key : key_path) {
    if (at == nullptr) return nullptr;
    value = at->if_contains(key);
    if (value == nullptr) return nullptr;
    at = value->if_object();
  }
  return value;
}

ConfigurationStore::MergeOutcome ConfigurationStore::merge(const std::string& component,
                                                           const std::vector<std::string>& key_path,
                                                           const json::value& value,
                                                           base::Timestamp written_at) {
  const auto last = updated_.find(component);
  if (last != updated_.end() && written_at < last->second) return MergeOutcome::older_than_current;
  json::object after = current_[component];
  recipe::merge_configuration(after, wrap(key_path, value));
  // A clock that runs ahead must not lock out the component's later changes.
  const base::Timestamp stamp = std::min(written_at, clock_.now());
  database_.write([&](store::Transaction& transaction) {
    transaction.execute(
        "INSERT INTO configuration (component, content, updated_ms) VALUES ($1, $2, $3) "
        "ON CONFLICT (component) DO UPDATE SET content = $2, updated_ms = $3",
        {component, base::to_text(after), base::to_epoch_millis(stamp)});
  });
  current_[component] = after;
  updated_[component] = stamp;
  refresh(component);
  return MergeOutcome::merged;
}

void ConfigurationStore::write(store::Transaction& transaction, const Configurations& all,
                               base::Timestamp now) {
  transaction.execute("DELETE FROM configuration");
  for (const auto& [component, content] : all) {
    transaction.execute(
        "INSERT INTO configuration (component, content, updated_ms) VALUES ($1, $2, $3)",
        {component, base::to_text(content), base::to_epoch_millis(now)});
  }
}

void ConfigurationStore::adopt(Configurations all) {
  current_ = std::move(all);
  updated_.clear();
  refresh();
}

const json::object* ConfigurationStore::resolved(const std::string& component) const {
  const auto found = resolved_.find(component);
  return found == resolved_.end() ? find(component) : &found->second;
}

void ConfigurationStore::refresh() {
  std::erase_if(resolved_, [this](const auto& one) { return !current_.contains(one.first); });
  for (const auto& [component, content] : Configurations(current_)) refresh(component);
}

void ConfigurationStore::refresh(const std::string& component) {
  const json::object& content = current_[component];
  json::object after = resolver_ ? resolver_(component, content) : content;
  const json::object before = std::exchange(resolved_[component], std::move(after));
  const Paths changed = changed_paths(before, resolved_[component]);
  if (changed.empty()) return;
  for (const ChangeHandler& handler : handlers_) handler(component, changed);
}

}  // namespace andon::edge
