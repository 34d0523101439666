// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/json/json_reader.hpp"
#include "base/text/escape.hpp"

namespace andon::cli {
namespace {

constexpr std::string_view kGap = "  ";

// Letters, not bytes: what continues a letter of UTF-8 is none of its own.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = cell.empty() ? "-" : base::escape_line(cell);
  cells.resize(rows_.front().size(), "-");
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width_of(row[i]), ' ').append(kGap);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string ago(base::Timestamp then, base::Timestamp now) {
  using std::chrono::days;
  using std::chrono::floor;
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  const auto passed = now - then;
  if (passed < seconds{1}) return "now";
  if (passed < minutes{2}) return fmt::format("{} s ago", floor<seconds>(passed).count());
  if (passed < hours{2}) return fmt::format("{} min ago", floor<minutes>(passed).count());
  if (passed < days{2}) return fmt::format("{} h ago", floor<hours>(passed).count());
  return fmt::format("{} d ago", floor<days>(passed).count());
}

std::string text_of(const base::json::value& object, std::string_view key) {
  return base::escape_line(base::JsonReader(object, "answer").optional_string(key).value_or(""));
}

std::string text_of(const base::json::object& object, std::string_view key) {
  return base::escape_line(plain_text_of(object, key));
}

std::string plain_text_of(const base::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

std::string ago_of(const base::json::value& object, std::string_view key, base::Timestamp now) {
  const auto seconds = base::JsonReader(object, "answer").optional_number(key);
  if (!seconds) return "";
  return ago(base::from_epoch_millis(static_cast<std::int64_t>(std::llround(*seconds * 1000))),
             now);
}

}  // namespace andon::cli
