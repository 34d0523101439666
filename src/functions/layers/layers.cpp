// SPDX-License-Identifier: Apache-2.0
#include "functions/layers/layers.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/split.hpp"
#include "functions/registry/names.hpp"

namespace andon::functions {
namespace {

using base::Error;
using base::ErrorCode;
using store::Row;
using store::Transaction;

constexpr std::string_view kTables = R"sql(
CREATE TABLE function_layers (
  name TEXT NOT NULL PRIMARY KEY,
  last_number BIGINT NOT NULL    -- of the versions that were ever published
);
CREATE TABLE function_layer_versions (
  name TEXT NOT NULL,
  number BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  description TEXT NOT NULL,
  license TEXT NOT NULL,
  runtimes TEXT NOT NULL,        -- ",a,b,"
  architectures TEXT NOT NULL,   -- likewise
  created_ms BIGINT NOT NULL,
  is_removed BIGINT NOT NULL,    -- but a function may have it still
  PRIMARY KEY (name, number)
);
CREATE INDEX function_layer_versions_code ON function_layer_versions (sha256);
)sql";

constexpr const char* kColumns =
    "name, number, sha256, bytes, description, license, runtimes, architectures, created_ms";
constexpr std::size_t kMostName = 140;

std::string joined(const std::vector<std::string>& words) {
  std::string text = ",";
  for (const std::string& word : words) text += word + ",";
  return text;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (const std::string_view word : base::split(text, ',')) {
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

LayerVersion version_of(const Row& row) {
  return {.name = row.text(0),
          .number = row.integer(1),
          .code = {row.text(2), static_cast<std::uint64_t>(row.integer(3))},
          .description = row.text(4),
          .license = row.text(5),
          .runtimes = words_of(row.text(6)),
          .architectures = words_of(row.text(7)),
          .created = base::from_epoch_millis(row.integer(8))};
}

Error malformed(std::string_view text) {
  return Error(ErrorCode::invalid_argument,
               "Value '" + std::string(text.substr(0, kMostName)) +
                   "' failed to satisfy constraint: Member must be a layer's name, or the ARN of a "
                   "layer or of a version of one");
}

}  // namespace

LayerRef parse_layer_ref(std::string_view text) {
  auto parts = base::split(text, ':');
  constexpr std::size_t kBefore = 6;  // arn:aws:lambda:REGION:ACCOUNT:layer
  if (parts.size() > kBefore && parts[0] == "arn") {
    if (parts[2] != "lambda" || parts[kBefore - 1] != "layer") throw malformed(text);
    parts.erase(parts.begin(), parts.begin() + kBefore);
  }
  if (parts.empty() || parts.size() > 2 || parts[0].size() > kMostName || parts[0].empty() ||
      !base::is_name_of(parts[0], "-_")) {
    throw malformed(text);
  }
  LayerRef ref{.name = std::string(parts[0])};
  if (parts.size() == 2) {
    const auto number = parse_version_number(parts[1]);
    if (!number) throw malformed(text);
    ref.number = *number;
  }
  return ref;
}

std::string layer_arn(const fleet::Arns& arns, std::string_view name) {
  return "arn:aws:lambda:" + arns.region() + ":" + arns.account() + ":layer:" + std::string(name);
}

std::string layer_version_arn(const fleet::Arns& arns, const LayerVersion& version) {
  return layer_arn(arns, version.name) + ":" + std::to_string(version.number);
}

Layers::Layers(store::Database& database, const base::Clock& clock, fleet::Arns arns)
    : database_(database), clock_(clock), arns_(std::move(arns)) {
  database.migrate("function-layers", {{"0001-layers", kTables}});
}

LayerVersion Layers::publish(LayerVersion version) {
  version.created = clock_.now();
  return database_.write([&](Transaction& tx) {
    if (tx.query_one("SELECT COUNT(*) FROM function_layer_versions")->integer(0) >= kMostVersions) {
      throw Error(ErrorCode::resource_exhausted,
                  "there are " + std::to_string(kMostVersions) +
                      " versions of layers already, which is the limit; delete some");
    }
    tx.execute(
        "INSERT INTO function_layers (name, last_number) VALUES ($1, 1) ON CONFLICT (name) DO "
        "UPDATE SET last_number = last_number + 1",
        {version.name});
    version.number =
        tx.query_one("SELECT last_number FROM function_layers WHERE name = $1", {version.name})
            ->integer(0);
    tx.execute(
        "INSERT INTO function_layer_versions (name, number, sha256, bytes, description, license, "
        "runtimes, architectures, created_ms, is_removed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
        "$9, 0)",
        {version.name, version.number, version.code.sha256,
         static_cast<std::int64_t>(version.code.bytes), version.description, version.license,
         joined(version.runtimes), joined(version.architectures),
         base::to_epoch_millis(version.created)});
    return version;
  });
}

LayerVersion Layers::find(const LayerRef& ref) const {
  return database_.read([&](Transaction& tx) {
    const auto row = tx.query_one(std::string("SELECT ") + kColumns +
                                      " FROM function_layer_versions WHERE name = $1 AND number = "
                                      "$2 AND is_removed = 0",
                                  {ref.name, ref.number});
    if (!row) {
      throw Error(ErrorCode::not_found, "The resource you requested does not exist. (" +
                                            layer_arn(arns_, ref.name) + ":" +
                                            std::to_string(ref.number) + ")");
    }
    return version_of(*row);
  });
}

std::optional<LayerVersion> Layers::of_function(const std::string& arn) const {
  const LayerRef ref = parse_layer_ref(arn);
  return database_.read([&](Transaction& tx) -> std::optional<LayerVersion> {
    const auto row =
        tx.query_one(std::string("SELECT ") + kColumns +
                         " FROM function_layer_versions WHERE name = $1 AND number = $2",
                     {ref.name, ref.number});
    if (!row) return std::nullopt;
    return version_of(*row);
  });
}

void Layers::remove(const LayerRef& ref) {
  database_.write([&](Transaction& tx) {
    tx.execute("UPDATE function_layer_versions SET is_removed = 1 WHERE name = $1 AND number = $2",
               {ref.name, ref.number});
  });
}

namespace {

constexpr const char* kFits =
    "is_removed = 0 AND ($1 = '' OR runtimes LIKE '%,' || $1 || ',%') AND ($2 = '' OR "
    "architectures LIKE '%,' || $2 || ',%')";

Layers::Page page_of(const std::vector<Row>& rows, std::size_t limit, bool is_by_name) {
  Layers::Page page;
  for (const Row& row : rows) {
    if (page.versions.size() == limit) {
      const LayerVersion& last = page.versions.back();
      page.next = is_by_name ? last.name : std::to_string(last.number);
      break;
    }
    page.versions.push_back(version_of(row));
  }
  return page;
}

}  // namespace

Layers::Page Layers::list(const std::string& after, std::size_t limit, const Filter& filter) const {
  return database_.read([&](Transaction& tx) {
    return page_of(
        tx.query(
            std::string("SELECT ") + kColumns +
                " FROM function_layer_versions AS one WHERE number = (SELECT MAX(number) FROM "
                "function_layer_versions AS other WHERE other.name = one.name AND " +
                kFits + ") AND name > $3 ORDER BY name LIMIT $4",
            {filter.runtime, filter.architecture, after, static_cast<std::int64_t>(limit) + 1}),
        limit, /*is_by_name=*/true);
  });
}

Layers::Page Layers::versions_of(const std::string& name, const std::string& after,
                                 std::size_t limit, const Filter& filter) const {
  constexpr std::int64_t kAll = INT64_MAX;
  std::int64_t before = kAll;
  if (!after.empty()) {
    const auto number = parse_version_number(after);
    if (!number) {
      throw Error(ErrorCode::invalid_argument, "Marker: is not one that this operation gave");
    }
    before = *number;
  }
  return database_.read([&](Transaction& tx) {
    return page_of(
        tx.query(std::string("SELECT ") + kColumns + " FROM function_layer_versions WHERE " +
                     kFits + " AND name = $3 AND number < $4 ORDER BY number DESC LIMIT $5",
                 {filter.runtime, filter.architecture, name, before,
                  static_cast<std::int64_t>(limit) + 1}),
        limit, /*is_by_name=*/false);
  });
}

void Layers::forget_unused() {
  const auto is_had = [](Transaction& tx, const std::string& arn) {
    return tx
        .query_one("SELECT 1 FROM function_versions WHERE instr(config, $1) > 0 LIMIT 1",
                   {"\"" + arn + "\""})
        .has_value();
  };
  database_.write([&](Transaction& tx) {
    for (const Row& row : tx.query("SELECT name, number FROM function_layer_versions WHERE "
                                   "is_removed = 1 ORDER BY name, number")) {
      const std::string arn = layer_arn(arns_, row.text(0)) + ":" + std::to_string(row.integer(1));
      if (is_had(tx, arn)) continue;
      tx.execute("DELETE FROM function_layer_versions WHERE name = $1 AND number = $2",
                 {row.text(0), row.integer(1)});
    }
  });
}

bool Layers::is_used(const std::string& sha256) const {
  return database_.read([&](Transaction& tx) {
    return tx.query_one("SELECT 1 FROM function_layer_versions WHERE sha256 = $1 LIMIT 1", {sha256})
        .has_value();
  });
}

}  // namespace andon::functions
