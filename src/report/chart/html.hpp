// SPDX-License-Identifier: Apache-2.0
// Pieces of a self-contained HTML page: no script, nothing fetched, fit for paper. Every text that
// is passed in is escaped; what is returned is HTML. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace andon::report {

// Safe between tags and in quoted attributes; bytes that are not UTF-8 become '?'.
[[nodiscard]] std::string escape(std::string_view text);

[[nodiscard]] std::string heading(std::string_view text);
[[nodiscard]] std::string paragraph(std::string_view text);
[[nodiscard]] std::string note(std::string_view text);  // small print

// The figures that matter, large.
struct Headline {
  std::string label;
  std::string value;
  std::string remark;
};
[[nodiscard]] std::string headlines(const std::vector<Headline>& figures);

// The first column is text, the others are numbers, put right.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};
[[nodiscard]] std::string table(const Table& table);

// Two columns: names and what belongs to them.
[[nodiscard]] std::string facts(const std::vector<std::pair<std::string, std::string>>& rows);

// Charts and pictures that stand side by side where there is room.
[[nodiscard]] std::string gallery(const std::vector<std::string>& figures);

// The whole document. `body` is HTML.
[[nodiscard]] std::string page(std::string_view title, std::string_view body);

// "0.812", or a dash where there is no figure.
[[nodiscard]] std::string number(std::optional<double> value, int digits = 3);
// "1 234 567 bytes" as "1.23 MB".
[[nodiscard]] std::string megabytes(std::size_t bytes);

}  // namespace andon::report
