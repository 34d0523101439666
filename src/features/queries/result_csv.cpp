// SPDX-License-Identifier: Apache-2.0
#include "features/queries/result_csv.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::features {
namespace {

constexpr std::pair<std::string_view, std::string_view> kDeclared[] = {
    {"BIGINT", "bigint"},       {"DOUBLE", "double"},   {"TEXT", "varchar"},
    {"TIMESTAMP", "timestamp"}, {"BOOLEAN", "boolean"},
};

[[noreturn]] void fail_damaged() {
  throw base::Error(base::ErrorCode::data_corrupted,
                    "the result is not as it was written: run the query again");
}

// What `type` becomes where a value of `other` comes.
std::string merged(const std::string& type, const char* other) {
  if (type.empty() || type == other) return other;
  const bool are_numbers =
      (type == "bigint" || type == "double") &&
      (std::string_view(other) == "bigint" || std::string_view(other) == "double");
  return are_numbers ? "double" : "varchar";
}

const char* type_of(const store::SqlValue& value) {
  if (std::holds_alternative<std::int64_t>(value)) return "bigint";
  if (std::holds_alternative<double>(value)) return "double";
  if (std::holds_alternative<store::Blob>(value)) return "varbinary";
  return "varchar";
}

std::string text_of(const store::SqlValue& value, const std::string& type) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (type == "boolean") return *number != 0 ? "true" : "false";
    if (type == "double") return double_text(static_cast<double>(*number));
    return std::to_string(*number);
  }
  if (const auto* number = std::get_if<double>(&value)) return double_text(*number);
  if (const auto* blob = std::get_if<store::Blob>(&value)) {
    const std::string hex = base::to_hex(base::as_bytes(blob->bytes));
    std::string spaced;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      spaced.append(spaced.empty() ? "" : " ").append(hex, i, 2);
    }
    return spaced;
  }
  return std::get<std::string>(value);
}

}  // namespace

void append_csv_row(std::string& csv, const CsvRow& row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) csv += ',';
    if (!row[i]) continue;
    csv += '"';
    for (const char c : *row[i]) {
      csv += c;
      if (c == '"') csv += c;
    }
    csv += '"';
  }
  csv += '\n';
}

CsvRows parse_csv_rows(std::string_view csv, std::size_t columns, std::size_t most, bool is_end) {
  CsvRows parsed;
  std::size_t at = 0;
  while (parsed.rows.size() < most && at < csv.size()) {
    CsvRow row;
    bool is_whole = false;
    while (!is_whole) {
      std::optional<std::string> value;
      if (at < csv.size() && csv[at] == '"') {
        value.emplace();
        for (++at; at < csv.size(); ++at) {
          if (csv[at] != '"') {
            *value += csv[at];
          } else if (at + 1 < csv.size() && csv[at + 1] == '"') {
            *value += csv[at++];
          } else {
            break;
          }
        }
        ++at;
      }
      row.push_back(std::move(value));
      if (at >= csv.size()) break;
      if (csv[at] != ',' && csv[at] != '\n') fail_damaged();
      is_whole = csv[at++] == '\n';
      if (row.size() > columns) fail_damaged();
    }
    if (!is_whole) {
      if (is_end) fail_damaged();
      break;
    }
    if (row.size() != columns) fail_damaged();
    parsed.rows.push_back(std::move(row));
    parsed.bytes = at;
  }
  return parsed;
}

std::string double_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  if (number == 0) return std::signbit(number) ? "-0.0" : "0.0";
  constexpr double kSmallest = 1e-3;
  constexpr double kLargest = 1e7;
  std::array<char, 400> buffer{};
  const double size = std::abs(number);
  const bool is_plain = size >= kSmallest && size < kLargest;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                    is_plain ? std::chars_format::fixed : std::chars_format::scientific)
          .ptr;
  std::string text(buffer.data(), end);
  if (is_plain) return text.find('.') == std::string::npos ? text + ".0" : text;
  // 1e+10 -> 1.0E10
  const std::size_t e = text.find('e');
  std::string digits = text.substr(0, e);
  if (digits.find('.') == std::string::npos) digits += ".0";
  std::string_view exponent = std::string_view(text).substr(e + 1);
  const bool is_negative = exponent.front() == '-';
  exponent.remove_prefix(1);
  while (exponent.size() > 1 && exponent.front() == '0') exponent.remove_prefix(1);
  return digits + "E" + (is_negative ? "-" : "") + std::string(exponent);
}

ResultTypes::ResultTypes(const std::vector<store::QueryColumn>& columns) {
  for (const store::QueryColumn& column : columns) {
    ResultColumn made{.name = column.name, .type = {}};
    for (const auto& [declared, type] : kDeclared) {
      if (column.declared == declared) made.type = type;
    }
    is_declared_.push_back(!made.type.empty());
    columns_.push_back(std::move(made));
  }
}

std::vector<ResultColumn> ResultTypes::columns() const {
  std::vector<ResultColumn> columns = columns_;
  for (ResultColumn& column : columns) {
    if (column.type.empty()) column.type = "varchar";
  }
  return columns;
}

CsvRow ResultTypes::header() const {
  CsvRow row;
  for (const ResultColumn& column : columns_) row.emplace_back(column.name);
  return row;
}

CsvRow ResultTypes::add(const std::vector<store::SqlValue>& values) {
  CsvRow row;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::holds_alternative<std::monostate>(values[i])) {
      row.emplace_back();
      continue;
    }
    if (!is_declared_[i]) columns_[i].type = merged(columns_[i].type, type_of(values[i]));
    row.emplace_back(text_of(values[i], columns_[i].type));
  }
  return row;
}

}  // namespace andon::features
