// SPDX-License-Identifier: Apache-2.0
// A statement in the words of Athena's users, as SQLite reads it: "catalog"."database"."table" and
// "database"."table" become the table's own name, which no two have. What SQLite would read in
// another sense is refused. Pure; any thread.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace andon::features {

// Tables, each as "database.name", in lower case.
using TableNames = std::set<std::string, std::less<>>;

// Throws unsupported for what is no single query, or casts to a type that SQLite does not have,
// not_found for a table that is not among them, invalid_argument for what cannot be read.
[[nodiscard]] std::string sqlite_text(std::string_view sql, const TableNames& tables);

// The names in the statement, in lower case: whatever may be a table is among them.
[[nodiscard]] std::set<std::string, std::less<>> names_in(std::string_view sql);

// Throws unsupported unless it is one SELECT, WITH or VALUES.
void check_is_query(std::string_view sql);

}  // namespace andon::features
