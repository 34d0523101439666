// SPDX-License-Identifier: Apache-2.0
#include "features/queries/query_text.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "features/groups/types.hpp"
#include "store/sql/sql_tokens.hpp"

namespace andon::features {
namespace {

using base::Error;
using base::ErrorCode;
using store::SqlToken;
using Tokens = std::vector<SqlToken>;

// What CAST makes of a value in the same way as Athena does.
constexpr auto kTypes =
    std::to_array<std::string_view>({"varchar", "char", "string", "text", "bigint", "integer",
                                     "int", "smallint", "tinyint", "double", "real", "float"});

std::string lowered(const SqlToken& token) {
  return base::to_lower(token.value);
}

bool is_dot_and_name(const Tokens& tokens, std::size_t at) {
  return at + 1 < tokens.size() && tokens[at].is_sign('.') && tokens[at + 1].is_name();
}

// CAST(x AS type): SQLite takes any word for a type, and makes a number of those it does not know.
void check_casts(const Tokens& tokens) {
  std::vector<bool> is_cast;  // of each open parenthesis
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].is_sign('(')) is_cast.push_back(i > 0 && tokens[i - 1].is_word("cast"));
    if (tokens[i].is_sign(')') && !is_cast.empty()) is_cast.pop_back();
    if (is_cast.empty() || !is_cast.back() || !tokens[i].is_word("as")) continue;
    if (i + 1 >= tokens.size()) continue;
    const std::string type = lowered(tokens[i + 1]);
    if (std::ranges::find(kTypes, type) != kTypes.end()) continue;
    throw Error(ErrorCode::unsupported,
                "CAST to " + type.substr(0, 50) +
                    " is not supported; times are texts here, which compare and sort as they are");
  }
}

// The end of a statement's tokens without what ends it.
std::size_t end_of(const Tokens& tokens) {
  std::size_t end = tokens.size();
  while (end > 0 && tokens[end - 1].is_sign(';')) --end;
  return end;
}

}  // namespace

void check_is_query(std::string_view sql) {
  const Tokens tokens = store::sql_tokens(sql);
  const std::size_t end = end_of(tokens);
  std::size_t begin = 0;
  while (begin < end && tokens[begin].is_sign('(')) ++begin;
  if (begin == end) throw Error(ErrorCode::invalid_argument, "Query string is empty");
  const SqlToken& first = tokens[begin];
  if (!first.is_word("select") && !first.is_word("with") && !first.is_word("values")) {
    throw Error(ErrorCode::unsupported,
                "Queries of this type are not supported: only SELECT and WITH are");
  }
  const auto stop = std::ranges::find_if(tokens, [](const auto& one) { return one.is_sign(';'); });
  if (stop - tokens.begin() < static_cast<std::ptrdiff_t>(end)) {
    throw Error(ErrorCode::unsupported, "Only one sql statement is allowed");
  }
}

std::set<std::string, std::less<>> names_in(std::string_view sql) {
  std::set<std::string, std::less<>> names;
  for (const SqlToken& token : store::sql_tokens(sql)) {
    if (token.is_name()) names.insert(lowered(token));
  }
  return names;
}

std::string sqlite_text(std::string_view sql, const TableNames& tables) {
  check_is_query(sql);
  const Tokens tokens = store::sql_tokens(sql);
  check_casts(tokens);
  std::set<std::string, std::less<>> databases{std::string(kDefaultDatabase)};
  for (const std::string& table : tables) databases.insert(table.substr(0, table.find('.')));
  const std::string catalog = base::to_lower(kCatalog);

  std::string text;
  const char* copied = sql.data();  // up to here
  const auto drop_until = [&](const SqlToken& from, const SqlToken& next) {
    text.append(copied, from.raw.data());
    copied = next.raw.data();
  };
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool is_behind_dot = i > 0 && tokens[i - 1].is_sign('.');
    if (!tokens[i].is_name() || is_behind_dot) continue;
    std::size_t at = i;
    if (lowered(tokens[at]) == catalog && is_dot_and_name(tokens, at + 1) &&
        is_dot_and_name(tokens, at + 3)) {
      at += 2;
    }
    if (!is_dot_and_name(tokens, at + 1)) continue;
    const std::string database = lowered(tokens[at]);
    if (!databases.contains(database)) {
      if (at == i) continue;  // table.column
      throw Error(ErrorCode::not_found, "Schema '" + database.substr(0, 255) + "' does not exist");
    }
    const std::string table = lowered(tokens[at + 2]);
    if (!tables.contains(database + "." + table)) {
      throw Error(ErrorCode::not_found, "no such table: " + table.substr(0, 255));
    }
    drop_until(tokens[i], tokens[at + 2]);
    i = at + 2;
  }
  text.append(copied, sql.data() + sql.size());
  return text;
}

}  // namespace andon::features
