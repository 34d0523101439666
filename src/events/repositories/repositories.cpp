// SPDX-License-Identifier: Apache-2.0
#include "events/repositories/repositories.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"

namespace andon::events {
namespace {

using base::Error;
using base::ErrorCode;
using store::Row;
using store::Transaction;

constexpr std::string_view kTables = R"sql(
CREATE TABLE watched_repositories (
  name TEXT NOT NULL PRIMARY KEY,
  url TEXT NOT NULL,
  ref TEXT NOT NULL,
  secret_id TEXT NOT NULL,
  interval_s BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  last_commit TEXT,              -- null: never looked
  looked_ms BIGINT,
  next_ms BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  error TEXT NOT NULL
);
CREATE INDEX watched_repositories_next ON watched_repositories (next_ms);
)sql";

constexpr const char* kColumns =
    "name, url, ref, secret_id, interval_s, last_commit, looked_ms, failures, error, revision";
constexpr std::size_t kMostName = 64;
constexpr std::size_t kMostError = 500;
constexpr std::string_view kNone = "0000000000000000000000000000000000000000";

Repository repository_of(const Row& row) {
  Repository one{.name = row.text(0),
                 .url = row.text(1),
                 .ref = row.text(2),
                 .secret_id = row.text(3),
                 .interval = std::chrono::seconds(row.integer(4)),
                 .commit = row.optional_text(5),
                 .looked = std::nullopt,
                 .failures = row.integer(7),
                 .error = row.text(8),
                 .revision = row.integer(9)};
  if (const auto looked = row.optional_integer(6)) one.looked = base::from_epoch_millis(*looked);
  return one;
}

std::string name_of(const std::string& url) {
  std::string name = url.substr(url.rfind('/') + 1);
  if (name.ends_with(".git")) name.resize(name.size() - 4);
  return name;
}

// As forges have it, as far as a ref says it.
json::object push_of(const Repository& repository, const std::string& before,
                     const std::string& after) {
  json::object detail{{"ref", repository.ref},
                      {"before", before},
                      {"after", after},
                      {"created", before == kNone},
                      {"deleted", after == kNone},
                      {"repository", json::object{{"name", name_of(repository.url)},
                                                  {"clone_url", repository.url}}}};
  if (after != kNone) detail["head_commit"] = json::object{{"id", after}};
  return detail;
}

}  // namespace

Repositories::Repositories(EventQueue& queue, const base::Clock& clock)
    : queue_(queue), clock_(clock) {
  queue_.database().migrate("repositories", {{"0001-repositories", kTables}});
}

void Repositories::put(const Repository& repository) {
  if (repository.name.size() > kMostName || !base::is_name_of(repository.name, "._-")) {
    throw Error(ErrorCode::invalid_argument,
                "a watched repository's name must be of 1 to 64 letters, digits, '.', '-' and '_'");
  }
  if (repository.interval < kLeastInterval || repository.interval > kMostInterval) {
    throw Error(ErrorCode::invalid_argument, "intervalSeconds must be from 10 to 86400");
  }
  const auto now = base::to_epoch_millis(clock_.now());
  queue_.database().write([&](Transaction& tx) {
    const auto count = tx.query_one("SELECT count(*) FROM watched_repositories WHERE name <> $1",
                                    {repository.name});
    if (count->integer(0) >= kMost) {
      throw Error(ErrorCode::resource_exhausted, "there are 1000 watched repositories, remove one");
    }
    const auto old = tx.query_one(
        "SELECT last_commit FROM watched_repositories WHERE name = $1 AND url = $2 AND ref = $3",
        {repository.name, repository.url, repository.ref});
    const auto commit = old ? old->optional_text(0) : std::nullopt;
    tx.execute(
        "INSERT INTO watched_repositories (name, url, ref, secret_id, interval_s, revision, "
        "last_commit, next_ms, failures, error) VALUES ($1, $2, $3, $4, $5, 1, $6, $7, 0, '') ON "
        "CONFLICT (name) DO UPDATE SET url = excluded.url, ref = excluded.ref, secret_id = "
        "excluded.secret_id, interval_s = excluded.interval_s, revision = revision + 1, "
        "last_commit = excluded.last_commit, next_ms = excluded.next_ms, failures = 0, error = ''",
        {repository.name, repository.url, repository.ref, repository.secret_id,
         static_cast<std::int64_t>(repository.interval.count()),
         commit ? store::SqlValue(*commit) : store::SqlValue(), now});
  });
}

void Repositories::remove(const std::string& name) {
  queue_.database().write([&](Transaction& tx) {
    if (tx.execute("DELETE FROM watched_repositories WHERE name = $1", {name}) == 0) {
      throw Error(ErrorCode::not_found,
                  "there is no watched repository '" + name.substr(0, kMostName) + "'");
    }
  });
}

std::vector<Repository> Repositories::list(const std::string& after, std::size_t limit) const {
  return queue_.database().read([&](Transaction& tx) {
    std::vector<Repository> all;
    for (const Row& row :
         tx.query(std::string("SELECT ") + kColumns +
                      " FROM watched_repositories WHERE name > $1 ORDER BY name LIMIT $2",
                  {after, static_cast<std::int64_t>(limit)})) {
      all.push_back(repository_of(row));
    }
    return all;
  });
}

std::vector<Repository> Repositories::due(std::size_t limit) const {
  return queue_.database().read([&](Transaction& tx) {
    std::vector<Repository> all;
    for (const Row& row :
         tx.query(std::string("SELECT ") + kColumns +
                      " FROM watched_repositories WHERE next_ms <= $1 ORDER BY next_ms LIMIT $2",
                  {base::to_epoch_millis(clock_.now()), static_cast<std::int64_t>(limit)})) {
      all.push_back(repository_of(row));
    }
    return all;
  });
}

bool Repositories::seen(const Repository& repository, const std::optional<std::string>& commit) {
  const base::Timestamp now = clock_.now();
  const std::string after = commit.value_or(std::string(kNone));
  return queue_.database().write([&](Transaction& tx) {
    // It may have been put anew, or looked at by another, since it was read.
    const auto row = tx.query_one(
        "SELECT last_commit FROM watched_repositories WHERE name = $1 AND revision = $2",
        {repository.name, repository.revision});
    if (!row) return false;
    const auto before = row->optional_text(0);
    tx.execute(
        "UPDATE watched_repositories SET last_commit = $3, looked_ms = $4, next_ms = $5, failures "
        "= 0, error = '' WHERE name = $1 AND revision = $2",
        {repository.name, repository.revision, after, base::to_epoch_millis(now),
         base::to_epoch_millis(now + repository.interval)});
    if (!before || *before == after) return false;
    const EventArns& arns = queue_.arns();
    queue_.accept(
        tx, std::string(kDefaultBus),
        envelop({.source = "andon.webhooks",
                 .detail_type = repository.ref.starts_with("refs/tags/") ? "tag_push" : "push",
                 .resources = {"arn:aws:andon:" + arns.region() + ":" + arns.account() +
                               ":repository/" + repository.name},
                 .detail = push_of(repository, *before, after),
                 .time = now},
                arns));
    return true;
  });
}

void Repositories::failed(const Repository& repository, const std::string& error) {
  const base::Timestamp now = clock_.now();
  constexpr std::int64_t kMostDoublings = 12;
  const auto doublings = std::min(repository.failures, kMostDoublings);
  const auto pause =
      std::max(repository.interval,
               std::min(repository.interval * (std::int64_t{1} << doublings), kMostPause));
  queue_.database().write([&](Transaction& tx) {
    tx.execute(
        "UPDATE watched_repositories SET looked_ms = $3, next_ms = $4, failures = failures + 1, "
        "error = $5 WHERE name = $1 AND revision = $2",
        {repository.name, repository.revision, base::to_epoch_millis(now),
         base::to_epoch_millis(now + pause), error.substr(0, kMostError)});
  });
}

}  // namespace andon::events
