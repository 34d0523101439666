// SPDX-License-Identifier: Apache-2.0
// Parameters put, read and removed; their lists are in parameter_lists.cpp.
#include "control/parameters/parameters.hpp"

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/utf8.hpp"
#include "control/parameters/named_refusal.hpp"
#include "control/parameters/parameter_rows.hpp"
#include "control/parameters/rules.hpp"
#include "control/parameters/schema.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

store::Database& migrated(store::Database& database) {
  migrate_parameters(database);
  return database;
}

std::string context_of(std::int64_t id, std::int64_t version) {
  return "parameter/" + std::to_string(id) + "/" + std::to_string(version);
}

NamedRefusal no_parameter(const std::string& reference) {
  return {ErrorCode::not_found, "ParameterNotFound",
          "there is no parameter '" + std::string(base::utf8_prefix(reference, 200)) + "'"};
}

NamedRefusal no_version(const std::string& what, const std::string& name) {
  return {ErrorCode::not_found, "ParameterVersionNotFound",
          "Systems Manager could not find " + what + " of " + name +
              ". Verify the version or label, and try again."};
}

// What is left out stays as `old` has it.
Parameter merged(const NewParameter& wanted, const Parameter& old) {
  Parameter made = old;
  made.name = wanted.name;
  if (wanted.type) made.type = *wanted.type;
  if (wanted.description) made.description = *wanted.description;
  if (wanted.allowed_pattern) made.allowed_pattern = *wanted.allowed_pattern;
  const bool needs_more = wanted.value.size() > Parameters::kStandardBytes;
  if (wanted.tier == NewParameter::Tier::advanced ||
      (wanted.tier == NewParameter::Tier::by_size && needs_more)) {
    made.tier = ParameterTier::advanced;
  } else if (wanted.tier == NewParameter::Tier::standard && old.tier == ParameterTier::advanced) {
    throw Error(ErrorCode::invalid_argument,
                "This parameter uses the advanced-parameter tier. You can't downgrade a parameter "
                "from the advanced-parameter tier to the standard-parameter tier. If necessary, "
                "you can delete the advanced parameter and recreate it as a standard parameter.");
  }
  return made;
}

void check_value(const Parameter& parameter, const std::string& value) {
  if (value.empty() || !base::is_utf8(value)) {
    throw Error(ErrorCode::invalid_argument,
                "Value: a parameter's value has at least one character, of UTF-8");
  }
  const bool is_standard = parameter.tier == ParameterTier::standard;
  const std::size_t most = is_standard ? Parameters::kStandardBytes : Parameters::kAdvancedBytes;
  if (value.size() > most) {
    throw Error(
        ErrorCode::invalid_argument,
        std::string(is_standard ? "Standard" : "Advanced") +
            " tier parameters support a maximum parameter value of " + std::to_string(most) +
            " characters." +
            (is_standard ? " To create a larger parameter value, upgrade the parameter to use the "
                           "advanced-parameter tier."
                         : ""));
  }
  if (!parameter.allowed_pattern.empty()) {
    check_allowed_pattern(parameter.allowed_pattern, value);
  }
}

}  // namespace

Parameters::Parameters(store::Database& database, const trust::SealingKey& key,
                       const base::Clock& clock, Arns arns)
    : database_(migrated(database)), key_(key), clock_(clock), arns_(std::move(arns)) {}

std::optional<Parameters::Head> Parameters::find_head(store::Transaction& tx,
                                                      const std::string& key) {
  const auto row =
      tx.query_one("SELECT id, key, name, version FROM parameters WHERE key = $1", {key});
  if (!row) return std::nullopt;
  return Head{row->integer(0), row->text(1), row->text(2), row->integer(3)};
}

Parameters::Head Parameters::require(store::Transaction& tx, const std::string& name) {
  const ParameterReference reference = parse_parameter_reference(name);
  const auto head =
      reference.selector.empty() ? find_head(tx, reference.key) : std::optional<Head>();
  if (!head || (reference.name && *reference.name != head->name)) throw no_parameter(name);
  return *head;
}

void Parameters::require_version(store::Transaction& tx, const Head& head, std::int64_t version) {
  if (!tx.query_one("SELECT 1 FROM parameter_versions WHERE parameter_id = $1 AND version = $2",
                    {head.id, version})) {
    throw no_version("version " + std::to_string(version), head.name);
  }
}

Parameters::Head Parameters::make_head(store::Transaction& tx, const Arns& arns,
                                       const NewParameter& wanted) {
  check_parameter_name(arns, wanted.name);
  if (!wanted.type) {
    throw Error(ErrorCode::invalid_argument,
                "A parameter type is required when you create a parameter.");
  }
  if (tx.query_one("SELECT count(*) FROM parameters")->integer(0) >= kMost) {
    throw NamedRefusal(ErrorCode::resource_exhausted, "ParameterLimitExceeded",
                       "there are " + std::to_string(kMost) + " parameters, delete some");
  }
  const std::string key(parameter_key(wanted.name));
  const std::size_t slash = key.rfind('/');
  tx.execute("INSERT INTO parameters (key, name, parent, version) VALUES ($1, $2, $3, 0)",
             {key, wanted.name, slash == std::string::npos ? "" : key.substr(0, slash)});
  store_tags(tx, parameter_arn(arns, key), wanted.tags);
  return *find_head(tx, key);
}

void Parameters::forget_oldest(store::Transaction& tx, const Head& head) {
  const std::int64_t oldest = head.version + 1 - kMostVersions;
  if (oldest < 1) return;
  const auto label = tx.query_one(
      "SELECT label FROM parameter_labels WHERE parameter_id = $1 AND version <= $2 LIMIT 1",
      {head.id, oldest});
  if (label) {
    throw NamedRefusal(ErrorCode::resource_exhausted, "ParameterMaxVersionLimitExceeded",
                       head.name + " has " + std::to_string(kMostVersions) +
                           " versions, and the oldest of them, which would go, has the label '" +
                           label->text(0) + "': move the label to a newer version");
  }
  tx.execute("DELETE FROM parameter_versions WHERE parameter_id = $1 AND version <= $2",
             {head.id, oldest});
}

PutParameterOutcome Parameters::put(const NewParameter& wanted) {
  return database_.write([&](store::Transaction& tx) -> PutParameterOutcome {
    auto head = find_head(tx, std::string(parameter_key(wanted.name)));
    Parameter old;
    if (head) {
      if (wanted.existing == NewParameter::Existing::refuse || head->name != wanted.name) {
        throw NamedRefusal(
            ErrorCode::already_exists, "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in "
            "the request to true, with the name '" +
                head->name + "'.");
      }
      old = *version_of(tx, *head, head->version, Reveal::sealed);
      if (wanted.type && *wanted.type != old.type) {
        throw NamedRefusal(ErrorCode::invalid_argument, "HierarchyTypeMismatchException",
                           "The parameter " + head->name + " is a " +
                               std::string(to_string(old.type)) +
                               ", and its type can't be changed. Make a new one.");
      }
    }
    const Parameter made = merged(wanted, old);
    check_value(made, wanted.value);
    if (!head) head = make_head(tx, arns_, wanted);
    forget_oldest(tx, *head);
    const std::int64_t version = head->version + 1;
    tx.execute("UPDATE parameters SET version = $1 WHERE id = $2", {version, head->id});
    tx.execute(
        "INSERT INTO parameter_versions (parameter_id, version, type, tier, description, "
        "allowed_pattern, modified_ms, modified_by, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, "
        "$8, $9)",
        {head->id, version, std::string(to_string(made.type)), std::string(to_string(made.tier)),
         made.description, made.allowed_pattern, to_stored(clock_.now()), wanted.by,
         store::Blob{key_.seal(wanted.value, context_of(head->id, version))}});
    return {version, made.tier};
  });
}

std::optional<Parameter> Parameters::version_of(store::Transaction& tx, const Head& head,
                                                std::int64_t version, Reveal reveal) const {
  const auto row =
      tx.query_one("SELECT " + std::string(kParameterColumns) +
                       ", v.sealed FROM parameters p JOIN parameter_versions v ON v.parameter_id = "
                       "p.id WHERE p.id = $1 AND v.version = $2",
                   {head.id, version});
  if (!row) return std::nullopt;
  Parameter parameter = parameter_row(*row);
  const std::string& sealed = row->blob(kParameterColumnCount);
  const bool stays_sealed =
      reveal == Reveal::sealed && parameter.type == ParameterType::secure_string;
  parameter.value = stays_sealed ? base::to_base64(sealed)
                                 : key_.open(sealed, context_of(head.id, parameter.version));
  return parameter;
}

Parameters::Found Parameters::look_up(const std::string& text, Reveal reveal) const {
  const ParameterReference reference = parse_parameter_reference(text);
  return database_.read([&](store::Transaction& tx) -> Found {
    const auto head = find_head(tx, reference.key);
    if (!head || (reference.name && *reference.name != head->name)) {
      return {Found::Missing::parameter, {}};
    }
    std::int64_t version = reference.version.value_or(head->version);
    if (!reference.selector.empty() && !reference.version) {
      const auto row = tx.query_one(
          "SELECT version FROM parameter_labels WHERE parameter_id = $1 AND label = $2",
          {head->id, reference.label});
      if (!row) return {Found::Missing::label, {}};
      version = row->integer(0);
    }
    auto found = version_of(tx, *head, version, reveal);
    if (!found) return {Found::Missing::version, {}};
    return {Found::Missing::nothing, std::move(found)};
  });
}

Parameter Parameters::get(const std::string& text, Reveal reveal) const {
  Found found = look_up(text, reveal);
  if (found.parameter) return *std::move(found.parameter);
  const ParameterReference reference = parse_parameter_reference(text);
  const std::string name = reference.name.value_or(reference.key);
  if (found.missing == Found::Missing::version) {
    throw no_version("version " + reference.selector.substr(1), name);
  }
  if (found.missing == Found::Missing::label) {
    throw no_version("label " + std::string(base::utf8_prefix(reference.label, 100)), name);
  }
  throw no_parameter(text);
}

std::optional<Parameter> Parameters::find(const std::string& reference, Reveal reveal) const {
  return look_up(reference, reveal).parameter;
}

bool Parameters::remove(const std::string& name) {
  const ParameterReference reference = parse_parameter_reference(name);
  return database_.write([&](store::Transaction& tx) {
    const auto head = find_head(tx, reference.key);
    const bool is_it =
        head && reference.selector.empty() && (!reference.name || *reference.name == head->name);
    if (!is_it) return false;
    tx.execute("DELETE FROM parameters WHERE id = $1", {head->id});
    tx.execute("DELETE FROM tags WHERE arn = $1", {parameter_arn(arns_, head->key)});
    return true;
  });
}

void Parameters::tag(const std::string& name, const TagMap& tags) {
  database_.write([&](store::Transaction& tx) {
    store_tags(tx, parameter_arn(arns_, require(tx, name).key), tags);
  });
}

void Parameters::untag(const std::string& name, const std::vector<std::string>& keys) {
  Tags(database_).remove(arn_of(name), keys);
}

TagMap Parameters::tags(const std::string& name) const {
  return Tags(database_).of(arn_of(name));
}

std::string Parameters::arn_of(const std::string& name) const {
  return database_.read(
      [&](store::Transaction& tx) { return parameter_arn(arns_, require(tx, name).key); });
}

std::int64_t Parameters::count() const {
  return database_.read([](store::Transaction& tx) {
    return tx.query_one("SELECT count(*) FROM parameters")->integer(0);
  });
}

}  // namespace andon::control
