// SPDX-License-Identifier: Apache-2.0
// Lists of parameters, and labels of their versions.
#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "control/parameters/named_refusal.hpp"
#include "control/parameters/parameter_rows.hpp"
#include "control/parameters/parameters.hpp"
#include "control/parameters/rules.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::ErrorCode;

// Parameters that one page looks at.
constexpr std::size_t kMostScanned = 2000;
constexpr std::int64_t kStep = 200;

constexpr std::array<std::pair<ParameterType, std::string_view>, 3> kTypes = {
    {{ParameterType::string, "String"},
     {ParameterType::string_list, "StringList"},
     {ParameterType::secure_string, "SecureString"}}};

bool holds(const std::vector<std::string>& values, std::string_view text) {
  return std::ranges::find(values, text) != values.end();
}

bool matches_name(const ParameterFilter& filter, const Parameter& parameter) {
  return std::ranges::any_of(filter.values, [&](const std::string& value) {
    // With or without the slash in front, as AWS has it.
    const std::string_view part = parameter_key(value);
    switch (filter.option) {
      case ParameterFilter::Option::begins_with:
        return parameter.key.starts_with(part);
      case ParameterFilter::Option::contains:
        return parameter.name.find(value) != std::string::npos;
      default:
        return parameter.key == part;
    }
  });
}

bool matches_path(const ParameterFilter& filter, const Parameter& parameter) {
  return std::ranges::any_of(filter.values, [&](std::string_view path) {
    path = parameter_key(path);
    if (path.ends_with('/')) path.remove_suffix(1);
    std::string_view rest = parameter.key;
    if (!path.empty()) {
      if (!rest.starts_with(path) || rest.substr(path.size(), 1) != "/") return false;
      rest.remove_prefix(path.size() + 1);
    }
    return filter.option == ParameterFilter::Option::recursive ||
           rest.find('/') == std::string_view::npos;
  });
}

const ParameterFilter* label_filter(const std::vector<ParameterFilter>& filters) {
  const auto found = std::ranges::find(filters, ParameterFilter::Key::label, &ParameterFilter::key);
  return found == filters.end() ? nullptr : &*found;
}

}  // namespace

std::string_view to_string(ParameterType type) {
  return std::ranges::find(kTypes, type, &std::pair<ParameterType, std::string_view>::first)
      ->second;
}

std::optional<ParameterType> parameter_type(std::string_view word) {
  const auto* found =
      std::ranges::find(kTypes, word, &std::pair<ParameterType, std::string_view>::second);
  if (found == kTypes.end()) return std::nullopt;
  return found->first;
}

std::string_view to_string(ParameterTier tier) {
  return tier == ParameterTier::standard ? "Standard" : "Advanced";
}

Parameter parameter_row(const store::Row& row) {
  return {.name = row.text(1),
          .key = row.text(0),
          .version = row.integer(2),
          .type = parameter_type(row.text(3)).value_or(ParameterType::secure_string),
          .tier = row.text(4) == "Advanced" ? ParameterTier::advanced : ParameterTier::standard,
          .description = row.text(5),
          .allowed_pattern = row.text(6),
          .modified = stored_time(row.integer(7)),
          .modified_by = row.text(8),
          .value = {},
          .labels = {}};
}

std::vector<std::string> labels_of(store::Transaction& tx, std::int64_t parameter,
                                   std::int64_t version) {
  std::vector<std::string> labels;
  for (const auto& row : tx.query(
           "SELECT label FROM parameter_labels WHERE parameter_id = $1 AND version = $2 ORDER BY "
           "label",
           {parameter, version})) {
    labels.push_back(row.text(0));
  }
  return labels;
}

// Keys from `from` on and before `until`; of one level only, where there is a parent.
struct Parameters::Range {
  std::string from;
  std::string until = "\x7F";
  std::optional<std::string> parent = {};
};

Page<Parameter> Parameters::scan(const Range& range, const PageRequest& page,
                                 const Take& take) const {
  const std::string columns = "SELECT " + std::string(kParameterColumns) + ", p.id";
  const std::string tables =
      " FROM parameters p JOIN parameter_versions v ON v.parameter_id = p.id AND v.version = "
      "p.version WHERE ";
  return database_.read([&](store::Transaction& tx) {
    Page<Parameter> found;
    std::string after = page.after;
    for (std::size_t seen = 0; seen < kMostScanned;) {
      const auto rows =
          range.parent
              ? tx.query(columns + tables + "p.parent = $1 AND p.key > $2 ORDER BY p.key LIMIT $3",
                         {*range.parent, after, kStep})
              : tx.query(columns + tables +
                             "p.key > $1 AND p.key >= $2 AND p.key < $3 ORDER BY p.key LIMIT $4",
                         {after, range.from, range.until, kStep});
      for (const auto& row : rows) {
        if (found.items.size() == page.limit) {
          found.next = after;
          return found;
        }
        const Parameter latest = parameter_row(row);
        const Head head{row.integer(kParameterColumnCount), latest.key, latest.name,
                        latest.version};
        if (auto taken = take(tx, head, latest)) found.items.push_back(*std::move(taken));
        after = latest.key;
      }
      if (rows.size() < static_cast<std::size_t>(kStep)) return found;
      seen += rows.size();
    }
    found.next = after;
    return found;
  });
}

bool Parameters::matches(store::Transaction& tx, const Head& head, const Parameter& parameter,
                         const ParameterFilter& filter) const {
  switch (filter.key) {
    case ParameterFilter::Key::name:
      return matches_name(filter, parameter);
    case ParameterFilter::Key::path:
      return matches_path(filter, parameter);
    case ParameterFilter::Key::type:
      return holds(filter.values, to_string(parameter.type));
    case ParameterFilter::Key::key_id:
      return parameter.type == ParameterType::secure_string &&
             holds(filter.values, kParameterKeyId);
    case ParameterFilter::Key::tier:
      return holds(filter.values, to_string(parameter.tier));
    case ParameterFilter::Key::data_type:
      return holds(filter.values, "text");
    case ParameterFilter::Key::label: {
      const auto rows =
          tx.query("SELECT label FROM parameter_labels WHERE parameter_id = $1", {head.id});
      return std::ranges::any_of(
          rows, [&](const store::Row& row) { return holds(filter.values, row.text(0)); });
    }
    case ParameterFilter::Key::tag:
      break;
  }
  const auto tag = tx.query_one("SELECT tag_value FROM tags WHERE arn = $1 AND tag_key = $2",
                                {parameter_arn(arns_, head.key), filter.tag});
  return tag && (filter.values.empty() || holds(filter.values, tag->text(0)));
}

Page<Parameter> Parameters::below(const std::string& path, Depth depth,
                                  const std::vector<ParameterFilter>& filters,
                                  const PageRequest& page, Reveal reveal) const {
  check_parameter_path(path);
  std::string above(parameter_key(path));
  if (above.ends_with('/')) above.pop_back();
  Range range;
  if (depth == Depth::one_level) {
    range.parent = above;
  } else if (!above.empty()) {
    range.from = above + "/";
    range.until = above + "0";  // what follows '/'
  }
  const ParameterFilter* const label = label_filter(filters);
  return scan(range, page,
              [&](store::Transaction& tx, const Head& head,
                  const Parameter& latest) -> std::optional<Parameter> {
                const bool fits = std::ranges::all_of(filters, [&](const ParameterFilter& filter) {
                  return matches(tx, head, latest, filter);
                });
                if (!fits) return std::nullopt;
                std::int64_t version = head.version;
                if (label != nullptr) {
                  for (const auto& row :
                       tx.query("SELECT label, version FROM parameter_labels WHERE parameter_id = "
                                "$1 ORDER BY version",
                                {head.id})) {
                    if (holds(label->values, row.text(0))) version = row.integer(1);
                  }
                }
                return version_of(tx, head, version, reveal);
              });
}

Page<Parameter> Parameters::describe(const std::vector<ParameterFilter>& filters,
                                     const PageRequest& page) const {
  Range range;
  for (const ParameterFilter& filter : filters) {
    if (filter.key != ParameterFilter::Key::name || filter.values.size() != 1) continue;
    const std::string key(parameter_key(filter.values.front()));
    if (filter.option == ParameterFilter::Option::begins_with) range = {key, key + "\x7F"};
    if (filter.option == ParameterFilter::Option::equals) range = {key, key + " "};
  }
  return scan(range, page,
              [&](store::Transaction& tx, const Head& head,
                  const Parameter& latest) -> std::optional<Parameter> {
                const bool fits = std::ranges::all_of(filters, [&](const ParameterFilter& filter) {
                  return matches(tx, head, latest, filter);
                });
                return fits ? std::optional(latest) : std::nullopt;
              });
}

Page<Parameter> Parameters::history(const std::string& name, const PageRequest& page,
                                    Reveal reveal) const {
  return database_.read([&](store::Transaction& tx) {
    const Head head = require(tx, name);
    Page<Parameter> found;
    const std::int64_t after = base::parse_int64(page.after).value_or(0);
    for (const auto& row :
         tx.query("SELECT version FROM parameter_versions WHERE parameter_id = $1 AND version > $2 "
                  "ORDER BY version LIMIT $3",
                  {head.id, after, static_cast<std::int64_t>(page.limit) + 1})) {
      if (found.items.size() == page.limit) {
        found.next = std::to_string(found.items.back().version);
        break;
      }
      auto version = version_of(tx, head, row.integer(0), reveal);
      version->labels = labels_of(tx, head.id, row.integer(0));
      found.items.push_back(*std::move(version));
    }
    return found;
  });
}

LabelOutcome Parameters::label(const std::string& name, std::optional<std::int64_t> version,
                               const std::vector<std::string>& labels) {
  return database_.write([&](store::Transaction& tx) {
    const Head head = require(tx, name);
    LabelOutcome outcome{.version = version.value_or(head.version)};
    require_version(tx, head, outcome.version);
    for (const std::string& label : labels) {
      if (!is_parameter_label(label)) {
        outcome.invalid.push_back(label);
        continue;
      }
      tx.execute(
          "INSERT INTO parameter_labels (parameter_id, label, version) VALUES ($1, $2, $3) ON "
          "CONFLICT (parameter_id, label) DO UPDATE SET version = excluded.version",
          {head.id, label, outcome.version});
      outcome.done.push_back(label);
    }
    if (labels_of(tx, head.id, outcome.version).size() > kMostLabels) {
      throw NamedRefusal(ErrorCode::resource_exhausted, "ParameterVersionLabelLimitExceeded",
                         "A parameter version can have maximum 10 labels. Move one or more labels "
                         "to another version and try again.");
    }
    return outcome;
  });
}

LabelOutcome Parameters::unlabel(const std::string& name, std::int64_t version,
                                 const std::vector<std::string>& labels) {
  return database_.write([&](store::Transaction& tx) {
    const Head head = require(tx, name);
    require_version(tx, head, version);
    LabelOutcome outcome{.version = version};
    for (const std::string& label : labels) {
      const std::int64_t removed = tx.execute(
          "DELETE FROM parameter_labels WHERE parameter_id = $1 AND label = $2 AND version = $3",
          {head.id, label, version});
      (removed > 0 ? outcome.done : outcome.invalid).push_back(label);
    }
    return outcome;
  });
}

}  // namespace andon::control
