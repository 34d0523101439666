// SPDX-License-Identifier: Apache-2.0
// Secrets described and listed.
#include <algorithm>
#include <limits>

#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "control/parameters/rules.hpp"
#include "control/parameters/secret_rows.hpp"
#include "control/parameters/secret_stages.hpp"
#include "control/parameters/secrets.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

// Secrets that one page looks at.
constexpr std::size_t kMostScanned = 2000;
constexpr std::int64_t kStep = 200;

void complete(store::Transaction& tx, Secret& secret) {
  secret.stages = stages_of(tx, secret.id);
  for (const auto& row :
       tx.query("SELECT tag_key, tag_value FROM tags WHERE arn = $1", {secret.arn})) {
    secret.tags.emplace(row.text(0), row.text(1));
  }
}

bool begins(std::string_view text, std::string_view prefix) {
  return base::to_lower(text).starts_with(base::to_lower(prefix));
}

// Every word of `value` is in the text of some attribute.
bool has_words(const Secret& secret, std::string_view value) {
  std::string all = secret.name + "\n" + secret.description;
  for (const auto& [key, content] : secret.tags) all += "\n" + key + "\n" + content;
  all = base::to_lower(all);
  return std::ranges::all_of(base::split_words(value), [&](std::string_view word) {
    return all.find(base::to_lower(word)) != std::string::npos;
  });
}

bool has(const Secret& secret, SecretFilter::Key key, std::string_view value) {
  switch (key) {
    case SecretFilter::Key::name:
      return secret.name.starts_with(value);
    case SecretFilter::Key::description:
      return begins(secret.description, value);
    case SecretFilter::Key::tag_key:
      return std::ranges::any_of(secret.tags,
                                 [&](const auto& tag) { return tag.first.starts_with(value); });
    case SecretFilter::Key::tag_value:
      return std::ranges::any_of(secret.tags,
                                 [&](const auto& tag) { return tag.second.starts_with(value); });
    case SecretFilter::Key::all:
      break;
  }
  return has_words(secret, value);
}

bool matches(const Secret& secret, const SecretFilter& filter) {
  return std::ranges::any_of(filter.values, [&](std::string_view value) {
    const bool is_without = value.starts_with('!');
    if (is_without) value.remove_prefix(1);
    return has(secret, filter.key, value) != is_without;
  });
}

}  // namespace

Secret secret_row(const Arns& arns, const store::Row& row) {
  Secret secret{.id = row.integer(0),
                .name = row.text(1),
                .arn = secret_arn(arns, row.text(1), row.text(2)),
                .description = row.text(3),
                .created = stored_time(row.integer(4)),
                .changed = stored_time(row.integer(5)),
                .accessed = {},
                .deleted = {},
                .tags = {},
                .stages = {}};
  if (const auto accessed = row.optional_integer(6)) secret.accessed = stored_time(*accessed);
  if (const auto deleted = row.optional_integer(7)) secret.deleted = stored_time(*deleted);
  return secret;
}

Secret Secrets::describe(const std::string& id) const {
  return database_.read([&](store::Transaction& tx) {
    Secret secret = require(tx, id, State::any);
    complete(tx, secret);
    return secret;
  });
}

Page<Secret> Secrets::list(const SecretQuery& query, const PageRequest& page) const {
  const std::string sql = "SELECT " + std::string(kSecretColumns) + " FROM secrets WHERE id " +
                          (query.oldest_first ? "> $1 ORDER BY id" : "< $1 ORDER BY id DESC") +
                          " LIMIT $2";
  return database_.read([&](store::Transaction& tx) {
    Page<Secret> found;
    std::int64_t after =
        base::parse_int64(page.after)
            .value_or(query.oldest_first ? 0 : std::numeric_limits<std::int64_t>::max());
    for (std::size_t seen = 0; seen < kMostScanned;) {
      const auto rows = tx.query(sql, {after, kStep});
      for (const auto& row : rows) {
        if (found.items.size() == page.limit) {
          found.next = std::to_string(after);
          return found;
        }
        Secret secret = secret_row(arns_, row);
        after = secret.id;
        if (secret.deleted && !query.with_deleted) continue;
        complete(tx, secret);
        const bool fits = std::ranges::all_of(
            query.filters, [&](const SecretFilter& filter) { return matches(secret, filter); });
        if (fits) found.items.push_back(std::move(secret));
      }
      if (rows.size() < static_cast<std::size_t>(kStep)) return found;
      seen += rows.size();
    }
    found.next = std::to_string(after);
    return found;
  });
}

Secrets::Versions Secrets::versions(const std::string& id, Which which,
                                    const PageRequest& page) const {
  return database_.read([&](store::Transaction& tx) {
    const Secret secret = require(tx, id, State::any);
    Versions found{secret.arn, secret.name, {}};
    std::int64_t after =
        base::parse_int64(page.after).value_or(std::numeric_limits<std::int64_t>::max());
    // All that a secret has is little: kMostVersions, and those with a stage.
    for (const auto& row : tx.query("SELECT " + std::string(kSecretVersionColumns) +
                                        ", ordinal FROM secret_versions WHERE secret_id = $1 AND "
                                        "ordinal < $2 ORDER BY ordinal DESC",
                                    {secret.id, after})) {
      if (found.page.items.size() == page.limit) {
        found.page.next = std::to_string(after);
        break;
      }
      SecretVersion version = secret_version_row(tx, secret.id, row);
      after = row.integer(4);
      if (version.stages.empty() && which == Which::staged) continue;
      found.page.items.push_back(std::move(version));
    }
    return found;
  });
}

}  // namespace andon::control
