// SPDX-License-Identifier: Apache-2.0
#include "edge/configuration/configuration_store.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "edge/configuration/withheld_secrets.hpp"
#include "recipe/deployment/configuration.hpp"

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

ConfigurationStore::ConfigurationStore(const store::Database& database, StateWriter& writer,
                                       const base::Clock& clock)
    : writer_(writer), clock_(clock) {
  database.read([this](store::Transaction& transaction) {
    for (const store::Row& row :
         transaction.query("SELECT component, content, updated_ms FROM configuration")) {
      read(row);
    }
  });
  resolved_ = current_;
}

void ConfigurationStore::read(const store::Row& row) {
  const std::string component = row.text(0);
  try {
    json::value content = base::parse_json(row.text(1), "saved configuration");
    if (!content.is_object()) {
      throw base::Error(base::ErrorCode::data_corrupted, "saved configuration is no JSON object");
    }
    current_[component] = std::move(content.get_object());
    bytes_[component] = row.text(1).size();
    updated_[component] = base::from_epoch_millis(row.integer(2));
  } catch (const base::Error& error) {
    damaged_[component] = error.message();
    base::log_error("a component's saved configuration cannot be read and is put aside",
                    {{"component", component}, {"reason", error.message()}});
    writer_.run([component, reason = error.message(),
                 now = base::to_epoch_millis(clock_.now())](store::Transaction& transaction) {
      transaction.execute(
          "INSERT OR REPLACE INTO damaged_configuration (component, content, reason, found_ms) "
          "SELECT component, content, $2, $3 FROM configuration WHERE component = $1",
          {component, reason, now});
      transaction.execute("DELETE FROM configuration WHERE component = $1", {component});
    });
  }
}

void ConfigurationStore::restore(const std::string& component, json::object content) {
  current_[component] = content;
  resolved_[component] = content;
  bytes_[component] = base::to_text(content).size();
  writer_.run([component, text = base::to_text(content),
               now = base::to_epoch_millis(clock_.now())](store::Transaction& transaction) {
    transaction.execute(
        "INSERT OR REPLACE INTO configuration (component, content, updated_ms) VALUES ($1, $2, $3)",
        {component, text, now});
  });
}

std::string ConfigurationStore::checked_text(const std::string& component,
                                             const json::object& content) const {
  if (recipe::depth_of(content, recipe::kMaxConfigurationDepth) > recipe::kMaxConfigurationDepth) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "the configuration of " + component + " would be nested more than " +
                          std::to_string(recipe::kMaxConfigurationDepth) + " levels deep");
  }
  std::string text = base::to_text(content);
  std::size_t others = 0;
  for (const auto& [name, bytes] : bytes_) others += name == component ? 0 : bytes;
  if (text.size() > recipe::kMaxConfigurationBytes ||
      others + text.size() > recipe::kMaxConfigurationsBytes) {
    throw base::Error(base::ErrorCode::resource_exhausted,
                      "the configuration of " + component + " would have " +
                          std::to_string(text.size()) + " bytes; at most " +
                          std::to_string(recipe::kMaxConfigurationBytes) +
                          " are kept of a component, and " +
                          std::to_string(recipe::kMaxConfigurationsBytes) + " of all");
  }
  return text;
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

void ConfigurationStore::begin_change(std::function<void()> change) {
  waiting_.push_back(std::move(change));
  start_changes();
}

void ConfigurationStore::end_change() {
  changing_ = false;
  start_changes();
}

// A change may end before it returns, and begin others: they are started here, not inside it.
void ConfigurationStore::start_changes() {
  if (std::exchange(starting_, true)) return;
  while (!changing_ && !waiting_.empty()) {
    const std::function<void()> next = std::move(waiting_.front());
    waiting_.pop_front();
    changing_ = true;
    next();
  }
  starting_ = false;
}

void ConfigurationStore::merge(const std::string& component, std::vector<std::string> key_path,
                               json::value value, base::Timestamp written_at, MergeDone done) {
  begin_change([this, component, key_path = std::move(key_path), value = std::move(value),
                written_at, done = std::move(done)] {
    try {
      merge_now(component, key_path, value, written_at, done);
    } catch (const base::Error&) {
      done(MergeOutcome::merged, std::current_exception());
      end_change();
    }
  });
}

void ConfigurationStore::merge_now(const std::string& component,
                                   const std::vector<std::string>& key_path,
                                   const json::value& value, base::Timestamp written_at,
                                   const MergeDone& done) {
  const auto last = updated_.find(component);
  // What was written before the clock was set back says nothing of what comes now.
  const bool is_comparable = last != updated_.end() && last->second <= clock_.now();
  if (is_comparable && written_at < last->second) {
    done(MergeOutcome::older_than_current, nullptr);
    return end_change();
  }
  if (key_path.size() > recipe::kMaxConfigurationDepth) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "a key path has at most " + std::to_string(recipe::kMaxConfigurationDepth) +
                          " keys, not " + std::to_string(key_path.size()));
  }
  const auto found = current_.find(component);
  json::object after = found == current_.end() ? json::object{} : found->second;
  recipe::merge_configuration(after, wrap(key_path, value));
  if (withhold_secrets(component, after)) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "a PIN is kept in no configuration; it is in the file that the pin-source of "
                      "the device's key names");
  }
  // A clock that runs ahead must not lock out the component's later changes.
  const base::Timestamp stamp = std::min(written_at, clock_.now());
  std::string text = checked_text(component, after);
  const std::size_t bytes = text.size();
  std::vector<store::SqlValue> row{component, std::move(text), base::to_epoch_millis(stamp)};
  writer_.run(
      [row = std::move(row)](store::Transaction& transaction) {
        transaction.execute(
            "INSERT INTO configuration (component, content, updated_ms) VALUES ($1, $2, $3) "
            "ON CONFLICT (component) DO UPDATE SET content = $2, updated_ms = $3",
            row);
      },
      [this, alive = alive_, component, after = std::move(after), stamp, bytes,
       done](std::exception_ptr error) mutable {
        if (!*alive) return;
        if (!error) {
          current_[component] = std::move(after);
          updated_[component] = stamp;
          bytes_[component] = bytes;
          refresh(component);
        }
        done(MergeOutcome::merged, error);
        end_change();
      });
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
  bytes_.clear();
  for (const auto& [component, content] : current_) {
    bytes_[component] = base::to_text(content).size();
  }
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
