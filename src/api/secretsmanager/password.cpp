// SPDX-License-Identifier: Apache-2.0
// Passwords from the kernel's random source.
#include <algorithm>

#include "api/secretsmanager/rows.hpp"
#include "base/error/error.hpp"
#include "base/text/id.hpp"

namespace andon::api::secrets {
namespace {

using base::Error;
using base::ErrorCode;

struct CharacterType {
  std::string_view characters;
  std::string_view member;
  bool is_excluded_by_it;  // else it is included by it
};
constexpr CharacterType kTypes[] = {
    {"abcdefghijklmnopqrstuvwxyz", "ExcludeLowercase", true},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ExcludeUppercase", true},
    {"0123456789", "ExcludeNumbers", true},
    {"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "ExcludePunctuation", true},
    {" ", "IncludeSpace", false},
};

bool holds_each(std::string_view password, const std::vector<std::string>& types) {
  return std::ranges::all_of(types, [&](const std::string& type) {
    return password.find_first_of(type) != std::string_view::npos;
  });
}

json::value make(const Service&, const OperationContext& context) {
  constexpr std::int64_t kStandard = 32;
  const json::object& input = context.input;
  const std::string excluded = maybe_text(input, "ExcludeCharacters").value_or("");
  std::vector<std::string> types;
  std::string alphabet;
  for (const CharacterType& type : kTypes) {
    if (flag(input, type.member) == type.is_excluded_by_it) continue;
    std::string kept(type.characters);
    std::erase_if(kept, [&](char c) { return excluded.find(c) != std::string::npos; });
    if (kept.empty()) continue;
    alphabet += kept;
    types.push_back(std::move(kept));
  }
  if (alphabet.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "GetRandomPassword: every character is excluded, so there is no password");
  }
  const auto length =
      static_cast<std::size_t>(optional_number(input, "PasswordLength").value_or(kStandard));
  std::string password = base::random_text(length, alphabet);
  if (input.contains("RequireEachIncludedType") && !flag(input, "RequireEachIncludedType")) {
    return json::object{{"RandomPassword", password}};
  }
  if (length < types.size()) {
    throw Error(ErrorCode::invalid_argument, "PasswordLength: " + std::to_string(length) +
                                                 " is too short for one character of each of the " +
                                                 std::to_string(types.size()) + " included types");
  }
  // Drawn anew until each is there: so every such password is as likely as any other.
  while (!holds_each(password, types)) password = base::random_text(length, alphabet);
  return json::object{{"RandomPassword", password}};
}

}  // namespace

Operation password_row(const Service& service) {
  return row(service, "GetRandomPassword",
             {number("PasswordLength", 1, 4096), secret("ExcludeCharacters", 4096),
              flag_rule("ExcludeNumbers"), flag_rule("ExcludePunctuation"),
              flag_rule("ExcludeUppercase"), flag_rule("ExcludeLowercase"),
              flag_rule("IncludeSpace"), flag_rule("RequireEachIncludedType")},
             make);
}

}  // namespace andon::api::secrets
