// SPDX-License-Identifier: Apache-2.0
#include "asl/definition/field_reader.hpp"

#include "asl/data/intrinsic.hpp"
#include "asl/data/time_text.hpp"
#include "base/error/error.hpp"

namespace andon::asl {

void FieldReader::problem(std::string message, const std::string& field) {
  problems_.schema(std::move(message), at_ + "/" + field);
}

std::optional<query::JsonPath> FieldReader::path(const json::object& object, std::string_view key,
                                                 PathKind kind, const std::string& prefix) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return std::nullopt;
  const std::string field = prefix + std::string(key);
  if (!value->is_string()) {
    problem("Expected value of type [STRING]", field);
    return std::nullopt;
  }
  try {
    query::JsonPath path = query::JsonPath::parse(value->get_string());
    if (kind == PathKind::reference && !path.is_reference()) {
      problem("Value is not a Reference Path: The value for the field '" + std::string(key) +
                  "' must lead to one place",
              field);
    }
    return path;
  } catch (const base::Error& error) {
    problem("Value is not a valid JSONPath: " + error.message(), field);
    return std::nullopt;
  }
}

DataPath FieldReader::data_path(const json::object& object, std::string_view key,
                                const std::string& prefix) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return {};
  if (value->is_null()) return {DataPath::Kind::nothing, {}};
  const bool is_result = key == "ResultPath";
  auto read = path(object, key, is_result ? PathKind::reference : PathKind::any, prefix);
  if (!read) return {};
  if (is_result && read->is_reference() && read->root() != query::PathRoot::input) {
    problem("Value is not a Reference Path: ResultPath must begin with '$.'",
            prefix + std::string(key));
  }
  if (read->is_root() && read->root() == query::PathRoot::input) return {};
  return {DataPath::Kind::path, *std::move(read)};
}

std::shared_ptr<const QueryExpression> FieldReader::expression(std::string_view text,
                                                               const std::string& field,
                                                               Place where) {
  const auto unsupported = [&](const std::string& what) {
    problems_.report("UNSUPPORTED_JSONATA_EXPRESSION", "Reference to '" + what, at_ + "/" + field);
  };
  try {
    auto parsed = std::make_shared<const QueryExpression>(text, field);
    for (const std::string& name : parsed->expression().top_level_names()) {
      unsupported(name + "' at the top level is not supported.");
    }
    for (const std::string& name : parsed->expression().free_variables()) {
      if (name == "$") unsupported("$$' is not supported.");
    }
    for (const std::string& member : parsed->expression().states_members()) {
      const bool misplaced = (member == "errorOutput" && where != Place::in_catch) ||
                             (member == "result" && where != Place::after_result);
      if (misplaced) unsupported("$states." + member + "' is not supported in this field.");
    }
    return parsed;
  } catch (const query::jsonata::Error& error) {
    problems_.report("INVALID_JSONATA_EXPRESSION", error.what(), at_ + "/" + field);
    return nullptr;
  }
}

std::optional<Payload> FieldReader::payload(const json::object& object, std::string_view key,
                                            Place where, const std::string& prefix) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return std::nullopt;

  class Reader : public PayloadReader {
   public:
    Reader(FieldReader& fields, Place where) : fields_(fields), where_(where) {}
    void malformed(const std::string& key, const std::string& field) override {
      fields_.problem("The value for the field '" + key +
                          "' must be a valid JSONPath or a valid intrinsic function call",
                      field);
    }
    std::shared_ptr<const QueryExpression> expression(std::string_view text,
                                                      const std::string& field) override {
      return fields_.expression(text, field, where_);
    }
    void plain(std::string_view text, const std::string& field) override {
      const bool looks_dynamic =
          text.starts_with("$.") || text.starts_with("$$.") || Intrinsic::looks_like(text);
      if (!looks_dynamic) return;
      fields_.problems_.report(
          "NO_DOLLAR",
          "The value looks like a JSONPath or an intrinsic function call, but the name of the "
          "field does not end with '.$', so that it is taken as text",
          fields_.at_ + "/" + field, Severity::warning);
    }

   private:
    FieldReader& fields_;
    Place where_;
  };
  Reader reader(*this, where);
  return Payload::compile(*value, language_, prefix + std::string(key), reader);
}

Assignments FieldReader::assignments(const json::object& object, Place where,
                                     const std::string& prefix) {
  Assignments result;
  const auto* assign = object.if_contains("Assign");
  if (assign == nullptr) return result;
  const std::string field = prefix + "Assign";
  if (!assign->is_object()) {
    problem("Expected value of type [OBJECT]", field);
    return result;
  }
  for (const auto& member : assign->get_object()) {
    std::string name = member.key();
    if (!jsonata() && name.ends_with(".$")) name.resize(name.size() - 2);
    if (name.empty() || name.size() > 80 || name == "states") {
      problem("Variable names must be 1 to 80 characters long and must not be 'states'",
              field_member(field, member.key()));
    }
    // "x.$" is compiled as the only member of an object, whose value is taken out again.
    json::object single;
    single["Assign"] = json::object{{member.key(), member.value()}};
    result.emplace_back(std::move(name), *payload(single, "Assign", where, prefix));
  }
  return result;
}

bool FieldReader::read_expression(Setting& setting, const json::value& value,
                                  const std::string& field) {
  const auto* text = value.if_string();
  if (text == nullptr || !jsonata() || !QueryExpression::is_one(*text)) return false;
  if (auto read = expression(*text, field)) setting.source = std::move(read);
  return true;
}

void FieldReader::only_one(const json::object& object, std::string_view key,
                           const std::string& prefix) {
  const std::string twin = std::string(key) + "Path";
  if (object.contains(key) && object.contains(twin)) {
    problem("Only one of '" + std::string(key) + "' and '" + twin + "' may be used", prefix + twin);
  }
}

void FieldReader::read_twin(Setting& setting, const json::object& object, std::string_view key,
                            PathKind kind, const std::string& prefix) {
  only_one(object, key, prefix);
  const std::string twin = std::string(key) + "Path";
  const auto* value = object.if_contains(twin);
  if (value == nullptr) return;
  setting.field = prefix + twin;
  // Where any path may stand, a call may too: ErrorPath and CausePath.
  const auto* text = value->if_string();
  if (kind == PathKind::any && text != nullptr && Intrinsic::looks_like(*text)) {
    try {
      setting.source = std::shared_ptr<const Intrinsic>(Intrinsic::parse(*text));
    } catch (const base::Error& error) {
      problem("Value is not a valid JSONPath: " + error.message(), setting.field);
    }
  } else if (auto read = path(object, twin, kind, prefix)) {
    setting.source = *std::move(read);
  }
}

Setting FieldReader::number(const json::object& object, std::string_view key, const Number& wanted,
                            const std::string& prefix) {
  Setting setting;
  setting.field = prefix + std::string(key);
  const auto* value = object.if_contains(key);
  if (value != nullptr && !read_expression(setting, *value, setting.field)) {
    if (!value->is_int64() && !(wanted.may_be_fraction && value->is_number())) {
      problem("Expected value of type [INTEGER]", setting.field);
    } else {
      const auto number = value->to_number<double>();
      if (number < static_cast<double>(wanted.least) || number > static_cast<double>(wanted.most)) {
        problem("Value must be between " + std::to_string(wanted.least) + " and " +
                    std::to_string(wanted.most),
                setting.field);
      }
      setting.source = *value;
    }
  }
  read_twin(setting, object, key, PathKind::reference, prefix);
  return setting;
}

Setting FieldReader::text(const json::object& object, std::string_view key, PathKind twin) {
  Setting setting;
  setting.field = key;
  const auto* value = object.if_contains(key);
  if (value != nullptr && !read_expression(setting, *value, setting.field)) {
    if (!value->is_string()) problem("Expected value of type [STRING]", setting.field);
    setting.source = *value;
  }
  read_twin(setting, object, key, twin, "");
  return setting;
}

Setting FieldReader::timestamp(const json::object& object, std::string_view key) {
  Setting setting = text(object, key, PathKind::reference);
  const auto* literal = std::get_if<json::value>(&setting.source);
  const auto* text = literal != nullptr ? literal->if_string() : nullptr;
  if (text != nullptr && !parse_rfc3339(*text)) {
    problem("String does not match RFC3339 timestamp", setting.field);
  }
  return setting;
}

}  // namespace andon::asl
