// SPDX-License-Identifier: Apache-2.0
// The result of a query as Athena writes it: every value in double quotes, which are doubled
// inside, nothing at all for NULL, a header line first. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "features/queries/types.hpp"
#include "store/sql/database.hpp"
#include "store/sql/guarded_query.hpp"

namespace andon::features {

using CsvRow = std::vector<std::optional<std::string>>;

void append_csv_row(std::string& csv, const CsvRow& row);

struct CsvRows {
  std::vector<CsvRow> rows;
  std::size_t bytes = 0;  // of them
};
// Rows from the beginning of `csv`: those that are whole, at most `most`. `is_end`: nothing comes
// behind these bytes. Throws data_corrupted for what append_csv_row() does not write.
[[nodiscard]] CsvRows parse_csv_rows(std::string_view csv, std::size_t columns, std::size_t most,
                                     bool is_end);

// A double as Java writes it: 1.0, 0.5, 1.0E10.
[[nodiscard]] std::string double_text(double number);

// Finds out types from what comes, and writes values as texts of their type.
class ResultTypes {
 public:
  explicit ResultTypes(const std::vector<store::QueryColumn>& columns);
  [[nodiscard]] CsvRow header() const;
  [[nodiscard]] CsvRow add(const std::vector<store::SqlValue>& values);
  // Once all have come.
  [[nodiscard]] std::vector<ResultColumn> columns() const;

 private:
  std::vector<ResultColumn> columns_;  // type empty: nothing but NULL yet
  std::vector<bool> is_declared_;
};

}  // namespace andon::features
