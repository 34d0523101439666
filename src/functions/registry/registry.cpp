// SPDX-License-Identifier: Apache-2.0
#include "functions/registry/registry.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "functions/registry/schema.hpp"

namespace andon::functions {
namespace {

using base::Error;
using base::ErrorCode;
using store::SqlValue;

constexpr const char* kColumns =
    "function, number, config, sha256, bytes, next_sha256, next_bytes, revision, modified_ms, "
    "state, state_reason, state_reason_code, update_status, update_reason, update_reason_code";
constexpr double kDrawn = 4'294'967'296.0;  // of 32 bits

SqlValue or_null(const std::optional<std::int64_t>& number) {
  return number ? SqlValue(*number) : SqlValue();
}

Version version_of(const store::Row& row) {
  Version version;
  version.function = row.text(0);
  version.number = row.integer(1);
  version.config = base::parse_json(row.text(2), "a function's stored configuration").as_object();
  version.code = {row.text(3), static_cast<std::uint64_t>(row.integer(4))};
  if (const auto next = row.optional_text(5)) {
    version.next_code = Code{*next, static_cast<std::uint64_t>(row.integer(6))};
  }
  version.revision = row.text(7);
  version.modified = base::from_epoch_millis(row.integer(8));
  version.state = row.text(9);
  version.state_reason = row.text(10);
  version.state_reason_code = row.text(11);
  version.update_status = row.text(12);
  version.update_reason = row.text(13);
  version.update_reason_code = row.text(14);
  return version;
}

void store_version(store::Transaction& tx, const Version& version) {
  const auto& next = version.next_code;
  tx.execute(
      "INSERT INTO function_versions (function, number, config, sha256, bytes, next_sha256, "
      "next_bytes, revision, modified_ms, state, state_reason, state_reason_code, update_status, "
      "update_reason, update_reason_code) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
      "$12, $13, $14, $15) ON CONFLICT (function, number) DO UPDATE SET config = excluded.config, "
      "sha256 = excluded.sha256, bytes = excluded.bytes, next_sha256 = excluded.next_sha256, "
      "next_bytes = excluded.next_bytes, revision = excluded.revision, modified_ms = "
      "excluded.modified_ms, state = excluded.state, state_reason = excluded.state_reason, "
      "state_reason_code = excluded.state_reason_code, update_status = excluded.update_status, "
      "update_reason = excluded.update_reason, update_reason_code = excluded.update_reason_code",
      {version.function, version.number, base::to_text(version.config), version.code.sha256,
       static_cast<std::int64_t>(version.code.bytes), next ? SqlValue(next->sha256) : SqlValue(),
       next ? SqlValue(static_cast<std::int64_t>(next->bytes)) : SqlValue(), version.revision,
       base::to_epoch_millis(version.modified), version.state, version.state_reason,
       version.state_reason_code, version.update_status, version.update_reason,
       version.update_reason_code});
}

std::optional<Version> find_version(store::Transaction& tx, const std::string& name,
                                    std::int64_t number) {
  const auto row = tx.query_one(std::string("SELECT ") + kColumns +
                                    " FROM function_versions WHERE function = $1 AND number = $2",
                                {name, number});
  if (!row) return std::nullopt;
  return version_of(*row);
}

void check_count(store::Transaction& tx, std::string_view sql, const std::vector<SqlValue>& values,
                 std::int64_t most, const std::string& what) {
  if (tx.query_one(sql, values)->integer(0) < most) return;
  throw Error(ErrorCode::resource_exhausted,
              "there are " + std::to_string(most) + " " + what + " already, which is the limit");
}

double draw() {
  std::uint32_t number = 0;
  const std::string random = base::random_bytes(sizeof number);
  for (const char byte : random) number = (number << 8U) | static_cast<unsigned char>(byte);
  return number / kDrawn;
}

bool serves_the_same(const Version& one, const Version& other) {
  const auto essence = [](const Version& version) {
    json::object config = version.config;
    config.erase("Description");
    return config;
  };
  return one.code.sha256 == other.code.sha256 && essence(one) == essence(other);
}

}  // namespace

Error function_not_found(const fleet::Arns& arns, const std::string& name,
                         const std::string& qualifier) {
  return Error(ErrorCode::not_found, "Function not found: " + function_arn(arns, name, qualifier));
}

Registry::Registry(store::Database& database, const base::Clock& clock, fleet::Arns arns)
    : database_(database), clock_(clock), arns_(std::move(arns)) {
  migrate_functions(database);
}

std::string Registry::arn(const Version& version) const {
  return function_arn(arns_, version.function,
                      version.number == kLatestNumber ? std::string() : version.label());
}

void Registry::require(store::Transaction& tx, const std::string& name) const {
  if (!tx.query_one("SELECT 1 FROM functions WHERE name = $1", {name})) {
    throw function_not_found(arns_, name);
  }
}

Version Registry::create(const std::string& name, const json::object& config, const Code& code) {
  check_function_name(name);
  Version version{.function = name,
                  .config = config,
                  .code = code,
                  .next_code = code,
                  .revision = base::random_uuid(),
                  .modified = clock_.now(),
                  .state = "Pending",
                  .state_reason = "The function is being created.",
                  .state_reason_code = "Creating",
                  .update_status = "Successful",
                  .update_reason = {},
                  .update_reason_code = {}};
  database_.write([&](store::Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM functions WHERE name = $1", {name})) {
      throw Error(ErrorCode::already_exists, "Function already exist: " + name);
    }
    check_count(tx, "SELECT COUNT(*) FROM functions", {}, kMostFunctions, "functions");
    tx.execute("INSERT INTO functions (name, created_ms, last_number) VALUES ($1, $2, 0)",
               {name, base::to_epoch_millis(clock_.now())});
    store_version(tx, version);
  });
  return version;
}

void Registry::remove(const std::string& name) {
  database_.write([&](store::Transaction& tx) {
    require(tx, name);
    for (const char* table :
         {"function_versions", "function_aliases", "function_event_configs", "function_policies"}) {
      tx.execute("DELETE FROM " + std::string(table) + " WHERE function = $1", {name});
    }
    tx.execute("DELETE FROM functions WHERE name = $1", {name});
  });
}

void Registry::remove_version(const std::string& name, std::int64_t number) {
  database_.write([&](store::Transaction& tx) {
    require(tx, name);
    const auto alias = tx.query_one(
        "SELECT name FROM function_aliases WHERE function = $1 AND (version = $2 OR other_version "
        "= $2) ORDER BY name LIMIT 1",
        {name, number});
    if (alias) {
      throw Error(ErrorCode::conflict,
                  "Unable to delete version because the following aliases "
                  "reference it: [" +
                      alias->text(0) + "]");
    }
    tx.execute("DELETE FROM function_versions WHERE function = $1 AND number = $2", {name, number});
  });
}

bool Registry::has(const std::string& name) const {
  return database_.read([&](store::Transaction& tx) {
    return tx.query_one("SELECT 1 FROM functions WHERE name = $1", {name}).has_value();
  });
}

Version Registry::find(const FunctionRef& ref) const {
  return database_.read([&](store::Transaction& tx) {
    std::optional<std::int64_t> number = kLatestNumber;
    if (!ref.qualifier.empty() && ref.qualifier != kLatest) {
      number = parse_version_number(ref.qualifier);
      if (!number) {
        const auto row =
            tx.query_one("SELECT version FROM function_aliases WHERE function = $1 AND name = $2",
                         {ref.name, ref.qualifier});
        if (row) number = row->integer(0);
      }
    }
    auto version = number ? find_version(tx, ref.name, *number) : std::nullopt;
    if (!version) throw function_not_found(arns_, ref.name, ref.qualifier);
    return *std::move(version);
  });
}

Resolved Registry::resolve(const FunctionRef& ref) const {
  return database_.read([&](store::Transaction& tx) {
    const std::string asked = ref.qualifier.empty() ? std::string(kLatest) : ref.qualifier;
    std::optional<std::int64_t> number = kLatestNumber;
    if (asked != kLatest) {
      number = parse_version_number(asked);
      if (!number) {
        const auto row = tx.query_one(
            "SELECT version, other_version, other_weight FROM function_aliases WHERE function = $1 "
            "AND name = $2",
            {ref.name, asked});
        if (row) {
          number = row->integer(0);
          if (const auto other = row->optional_integer(1); other && draw() < row->real(2)) {
            number = other;
          }
        }
      }
    }
    auto version = number ? find_version(tx, ref.name, *number) : std::nullopt;
    if (!version) throw function_not_found(arns_, ref.name, asked);
    const auto reserved =
        tx.query_one("SELECT reserved FROM functions WHERE name = $1", {ref.name});
    return Resolved{.version = *std::move(version),
                    .qualifier = ref.qualifier,
                    .reserved = reserved ? reserved->optional_integer(0) : std::nullopt};
  });
}

namespace {

VersionPage page_of(const std::vector<store::Row>& rows, std::size_t limit) {
  VersionPage page;
  for (const store::Row& row : rows) {
    if (page.versions.size() == limit) {
      const Version& last = page.versions.back();
      page.next = last.function + ":" + std::to_string(last.number);
      break;
    }
    page.versions.push_back(version_of(row));
  }
  return page;
}

struct Place {
  std::string name;
  std::int64_t number = -1;
};

Place read_place(const std::string& after) {
  const std::size_t colon = after.rfind(':');
  if (after.empty()) return {};
  const auto number = colon == std::string::npos
                          ? std::nullopt
                          : parse_version_number("1" + after.substr(colon + 1));
  if (!number) {
    throw Error(ErrorCode::invalid_argument, "Marker: is not one that this operation gave");
  }
  return {after.substr(0, colon), std::stoll(after.substr(colon + 1))};
}

}  // namespace

VersionPage Registry::list(const std::string& after, std::size_t limit, bool all_versions) const {
  const Place place = read_place(after);
  return database_.read([&](store::Transaction& tx) {
    const std::string select = std::string("SELECT ") + kColumns + " FROM function_versions WHERE ";
    const auto most = static_cast<std::int64_t>(limit) + 1;
    if (all_versions) {
      return page_of(tx.query(select + "(function, number) > ($1, $2) ORDER BY function, number "
                                       "LIMIT $3",
                              {place.name, place.number, most}),
                     limit);
    }
    return page_of(tx.query(select + "function > $1 AND number = 0 ORDER BY function LIMIT $2",
                            {place.name, most}),
                   limit);
  });
}

VersionPage Registry::versions_of(const std::string& name, const std::string& after,
                                  std::size_t limit) const {
  const Place place = read_place(after);
  return database_.read([&](store::Transaction& tx) {
    require(tx, name);
    return page_of(tx.query(std::string("SELECT ") + kColumns +
                                " FROM function_versions WHERE function = $1 AND number > $2 ORDER "
                                "BY number LIMIT $3",
                            {name, place.number, static_cast<std::int64_t>(limit) + 1}),
                   limit);
  });
}

Version Registry::latest(store::Transaction& tx, const std::string& name,
                         const std::string& revision) const {
  auto version = find_version(tx, name, kLatestNumber);
  if (!version) throw function_not_found(arns_, name);
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorCode::conflict, "The operation cannot be performed at this time. " + why);
  };
  if (version->state == "Pending") {
    refuse("The function is currently in the following state: Pending");
  }
  if (version->update_status == "InProgress") {
    refuse("An update is in progress for resource: " + function_arn(arns_, name));
  }
  if (!revision.empty() && revision != version->revision) {
    throw Error(ErrorCode::failed_precondition,
                "The Revision Id provided does not match the latest Revision Id. Call the "
                "GetFunction/GetAlias API to retrieve the latest Revision Id");
  }
  return *std::move(version);
}

void Registry::check_changeable(const std::string& name, const std::string& revision) const {
  database_.read([&](store::Transaction& tx) { (void)latest(tx, name, revision); });
}

Version Registry::change_config(const std::string& name, const json::object& changes,
                                const std::string& revision) {
  return database_.write([&](store::Transaction& tx) {
    Version version = latest(tx, name, revision);
    for (const auto& [member, value] : changes) version.config[member] = value;
    version.revision = base::random_uuid();
    version.modified = clock_.now();
    store_version(tx, version);
    return version;
  });
}

Version Registry::change_code(const std::string& name, const Code& code,
                              const std::string& revision, const json::object& changes) {
  return database_.write([&](store::Transaction& tx) {
    Version version = latest(tx, name, revision);
    for (const auto& [member, value] : changes) version.config[member] = value;
    version.revision = base::random_uuid();
    version.modified = clock_.now();
    version.next_code = code;
    version.update_status = "InProgress";
    version.update_reason = "The function is being created.";
    version.update_reason_code = "Creating";
    store_version(tx, version);
    return version;
  });
}

std::vector<Version> Registry::open(std::size_t limit) const {
  return database_.read([&](store::Transaction& tx) {
    std::vector<Version> all;
    for (const store::Row& row :
         tx.query(std::string("SELECT ") + kColumns +
                      " FROM function_versions WHERE state = 'Pending' OR update_status = "
                      "'InProgress' ORDER BY function, number LIMIT $1",
                  {static_cast<std::int64_t>(limit)})) {
      all.push_back(version_of(row));
    }
    return all;
  });
}

void Registry::prepared(const std::string& name, const Code& code) {
  database_.write([&](store::Transaction& tx) {
    auto version = find_version(tx, name, kLatestNumber);
    if (!version || !version->next_code || version->next_code->sha256 != code.sha256) return;
    version->code = code;
    version->next_code.reset();
    version->state = "Active";
    version->state_reason.clear();
    version->state_reason_code.clear();
    version->update_status = "Successful";
    version->update_reason.clear();
    version->update_reason_code.clear();
    version->revision = base::random_uuid();
    store_version(tx, *version);
  });
}

void Registry::failed(const std::string& name, const Code& code, const std::string& reason) {
  database_.write([&](store::Transaction& tx) {
    auto version = find_version(tx, name, kLatestNumber);
    if (!version || !version->next_code || version->next_code->sha256 != code.sha256) return;
    version->next_code.reset();
    if (version->state == "Pending") {
      version->state = "Failed";
      version->state_reason = reason;
      version->state_reason_code = "FunctionError";
    }
    version->update_status = "Failed";
    version->update_reason = reason;
    version->update_reason_code = "FunctionError";
    version->revision = base::random_uuid();
    store_version(tx, *version);
  });
}

Version Registry::publish(const Publication& wanted) {
  return database_.write([&](store::Transaction& tx) {
    Version version = latest(tx, wanted.name, wanted.revision);
    if (!wanted.code_sha256.empty()) {
      const auto raw = base::from_hex(version.code.sha256);
      const std::string own = base::to_base64(raw.value_or(std::string()));
      if (own != wanted.code_sha256) {
        throw Error(ErrorCode::invalid_argument,
                    "CodeSHA256 (" + wanted.code_sha256 +
                        ") is different from current CodeSHA256 in $LATEST (" + own +
                        "). Please try again with the CodeSHA256 in $LATEST.");
      }
    }
    const auto last_number =
        tx.query_one("SELECT last_number FROM functions WHERE name = $1", {wanted.name})
            ->integer(0);
    if (const auto newest = find_version(tx, wanted.name, last_number);
        newest && last_number > kLatestNumber && serves_the_same(*newest, version)) {
      return *newest;
    }
    check_count(tx, "SELECT COUNT(*) FROM function_versions WHERE function = $1", {wanted.name},
                kMostVersions, "versions of " + wanted.name);
    version.number = last_number + 1;
    version.revision = base::random_uuid();
    if (wanted.description) version.config["Description"] = *wanted.description;
    store_version(tx, version);
    tx.execute("UPDATE functions SET last_number = $2 WHERE name = $1",
               {wanted.name, version.number});
    return version;
  });
}

std::optional<std::int64_t> Registry::reserved(const std::string& name) const {
  return database_.read([&](store::Transaction& tx) {
    require(tx, name);
    return tx.query_one("SELECT reserved FROM functions WHERE name = $1", {name})
        ->optional_integer(0);
  });
}

void Registry::reserve(const std::string& name, std::optional<std::int64_t> count) {
  database_.write([&](store::Transaction& tx) {
    require(tx, name);
    tx.execute("UPDATE functions SET reserved = $2 WHERE name = $1", {name, or_null(count)});
  });
}

bool Registry::is_used(const std::string& sha256) const {
  return database_.read([&](store::Transaction& tx) {
    return tx.query_one("SELECT 1 FROM function_versions WHERE sha256 = $1 LIMIT 1", {sha256}) ||
           tx.query_one("SELECT 1 FROM function_versions WHERE next_sha256 = $1 LIMIT 1", {sha256});
  });
}

}  // namespace andon::functions
