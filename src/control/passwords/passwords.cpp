// SPDX-License-Identifier: Apache-2.0
#include "control/passwords/passwords.hpp"

#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "control/parameters/named_refusal.hpp"
#include "control/passwords/password_hash.hpp"
#include "control/passwords/schema.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using store::Transaction;

constexpr std::size_t kMostBytes = 512;  // of a password that is checked

NamedRefusal violates(std::string message) {
  return {ErrorCode::invalid_argument, "PasswordPolicyViolation", std::move(message)};
}

Error no_profile(const PasswordOwner& owner) {
  return {ErrorCode::not_found, "Login Profile for User " + owner.name + " cannot be found."};
}

Error no_policy() {
  return {ErrorCode::not_found, "The account has no password policy: it cannot be found."};
}

std::optional<LoginProfile> find_in(Transaction& tx, const std::string& user_id) {
  const auto row = tx.query_one(
      "SELECT hash, must_change, mark, created_ms, set_ms FROM login_profiles WHERE user_id = $1",
      {user_id});
  if (!row) return std::nullopt;
  return LoginProfile{.user_id = user_id,
                      .hash = row->text(0),
                      .must_change = row->integer(1) != 0,
                      .mark = row->text(2),
                      .created = stored_time(row->integer(3)),
                      .set = stored_time(row->integer(4))};
}

std::vector<std::string> past_of(Transaction& tx, const std::string& user_id, int most) {
  std::vector<std::string> hashes;
  for (const store::Row& row : tx.query("SELECT hash FROM login_past_passwords WHERE user_id = $1 "
                                        "ORDER BY number DESC LIMIT $2",
                                        {user_id, std::int64_t{most}})) {
    hashes.push_back(row.text(0));
  }
  return hashes;
}

// The one that was replaced; no more than a policy can ask for.
void remember(Transaction& tx, const std::string& user_id, const std::string& hash) {
  const auto last = tx.query_one(
      "SELECT coalesce(max(number), 0) FROM login_past_passwords WHERE user_id = $1", {user_id});
  const std::int64_t number = last->integer(0) + 1;
  tx.execute("INSERT INTO login_past_passwords (user_id, number, hash) VALUES ($1, $2, $3)",
             {user_id, number, hash});
  tx.execute("DELETE FROM login_past_passwords WHERE user_id = $1 AND number <= $2",
             {user_id, number - kMostRememberedPasswords});
}

std::string new_mark() {
  return base::random_uuid();
}

store::SqlValue flag(bool is_set) {
  return std::int64_t{is_set ? 1 : 0};
}

store::Database& migrated(store::Database& database) {
  migrate_passwords(database);
  return database;
}

}  // namespace

Passwords::Passwords(store::Database& database, const base::Clock& clock)
    : database_(migrated(database)), clock_(clock) {}

std::string Passwords::checked_hash(const PasswordOwner& owner, const std::string& password,
                                    const std::optional<LoginProfile>& before) const {
  const auto rules = policy();
  if (const auto problem = password_problem(rules, owner.name, password)) throw violates(*problem);
  if (before && rules && rules->remembered > 0) {
    auto past = database_.read(
        [&](Transaction& tx) { return past_of(tx, owner.id, rules->remembered - 1); });
    past.push_back(before->hash);
    for (const std::string& hash : past) {
      if (!is_password(password, hash)) continue;
      throw violates("Password should not be one of the last " + std::to_string(rules->remembered) +
                     " passwords");
    }
  }
  return hash_password(password);
}

LoginProfile Passwords::create(const PasswordOwner& owner, const std::string& password,
                               NextSignIn next) {
  const auto refuse = [&] {
    throw Error(ErrorCode::already_exists,
                "Login Profile for user " + owner.name + " already exists.");
  };
  if (find(owner.id)) refuse();
  const base::Timestamp now = clock_.now();
  const LoginProfile made{.user_id = owner.id,
                          .hash = checked_hash(owner, password, std::nullopt),
                          .must_change = next == NextSignIn::must_change,
                          .mark = new_mark(),
                          .created = now,
                          .set = now};
  database_.write([&](Transaction& tx) {
    if (find_in(tx, owner.id)) refuse();
    tx.execute(
        "INSERT INTO login_profiles (user_id, hash, must_change, mark, created_ms, set_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        {made.user_id, made.hash, flag(made.must_change), made.mark, to_stored(made.created),
         to_stored(made.set)});
  });
  return made;
}

std::optional<LoginProfile> Passwords::find(const std::string& user_id) const {
  return database_.read([&](Transaction& tx) { return find_in(tx, user_id); });
}

LoginProfile Passwords::require(const PasswordOwner& owner) const {
  auto profile = find(owner.id);
  if (!profile) throw no_profile(owner);
  return *std::move(profile);
}

void Passwords::store(const LoginProfile& profile, const std::string& replaced) {
  database_.write([&](Transaction& tx) {
    const auto now = find_in(tx, profile.user_id);
    if (!now || now->hash != replaced) {
      throw Error(ErrorCode::conflict, "the password was changed meanwhile; try again");
    }
    if (profile.hash != replaced) remember(tx, profile.user_id, replaced);
    tx.execute(
        "UPDATE login_profiles SET hash = $2, must_change = $3, mark = $4, set_ms = $5 "
        "WHERE user_id = $1",
        {profile.user_id, profile.hash, flag(profile.must_change), profile.mark,
         to_stored(profile.set)});
  });
}

void Passwords::update(const PasswordOwner& owner, const std::optional<std::string>& password,
                       std::optional<NextSignIn> next) {
  LoginProfile profile = require(owner);
  const std::string replaced = profile.hash;
  if (password) {
    // Who manages users may set one that was used before, as in AWS: reuse is for its owner.
    profile.hash = checked_hash(owner, *password, std::nullopt);
    profile.set = clock_.now();
  }
  if (next) profile.must_change = *next == NextSignIn::must_change;
  profile.mark = new_mark();
  store(profile, replaced);
}

void Passwords::change(const PasswordOwner& owner, const std::string& password) {
  LoginProfile profile = require(owner);
  const std::string replaced = profile.hash;
  profile.hash = checked_hash(owner, password, profile);
  profile.set = clock_.now();
  profile.must_change = false;
  profile.mark = new_mark();
  store(profile, replaced);
}

void Passwords::remove(const PasswordOwner& owner) {
  database_.write([&](Transaction& tx) {
    if (tx.execute("DELETE FROM login_profiles WHERE user_id = $1", {owner.id}) == 0) {
      throw no_profile(owner);
    }
    tx.execute("DELETE FROM login_past_passwords WHERE user_id = $1", {owner.id});
  });
}

bool Passwords::check(const std::string& user_id, const Attempt& attempt,
                      std::string_view password) {
  limits_.take(attempt);
  const auto profile = find(user_id);
  if (!profile || password.size() > kMostBytes) {
    pretend_to_check(password.substr(0, kMostBytes));
    return false;
  }
  if (!is_password(password, profile->hash)) return false;
  limits_.give_back(attempt);
  return true;
}

Passwords::Standing Passwords::standing_of(const LoginProfile& profile) const {
  if (profile.must_change) return Standing::must_change;
  const auto rules = policy();
  if (!rules || !rules->longest_age || clock_.now() < profile.set + *rules->longest_age) {
    return Standing::good;
  }
  return rules->is_hard ? Standing::too_old : Standing::must_change;
}

std::optional<PasswordPolicy> Passwords::policy() const {
  const auto row = database_.read([](Transaction& tx) {
    return tx.query_one(
        "SELECT least_length, wants_symbols, wants_numbers, wants_upper_case, wants_lower_case, "
        "users_may_change, longest_age_days, remembered, is_hard FROM password_policy");
  });
  if (!row) return std::nullopt;
  PasswordPolicy policy{.least_length = static_cast<int>(row->integer(0)),
                        .wants_symbols = row->integer(1) != 0,
                        .wants_numbers = row->integer(2) != 0,
                        .wants_upper_case = row->integer(3) != 0,
                        .wants_lower_case = row->integer(4) != 0,
                        .users_may_change = row->integer(5) != 0,
                        .longest_age = {},
                        .remembered = static_cast<int>(row->integer(7)),
                        .is_hard = row->integer(8) != 0};
  if (const auto days = row->optional_integer(6)) policy.longest_age = std::chrono::days(*days);
  return policy;
}

void Passwords::set_policy(const PasswordPolicy& policy) {
  check_password_policy(policy);
  database_.write([&](Transaction& tx) {
    tx.execute("DELETE FROM password_policy");
    tx.execute(
        "INSERT INTO password_policy (only, least_length, wants_symbols, wants_numbers, "
        "wants_upper_case, wants_lower_case, users_may_change, longest_age_days, remembered, "
        "is_hard) VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9)",
        {std::int64_t{policy.least_length}, flag(policy.wants_symbols), flag(policy.wants_numbers),
         flag(policy.wants_upper_case), flag(policy.wants_lower_case),
         flag(policy.users_may_change),
         policy.longest_age ? store::SqlValue(std::int64_t{policy.longest_age->count()})
                            : store::SqlValue(),
         std::int64_t{policy.remembered}, flag(policy.is_hard)});
  });
}

void Passwords::remove_policy() {
  database_.write([&](Transaction& tx) {
    if (tx.execute("DELETE FROM password_policy") == 0) throw no_policy();
  });
}

}  // namespace andon::control
