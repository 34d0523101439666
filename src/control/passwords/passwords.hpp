// SPDX-License-Identifier: Apache-2.0
// Room: passwords. Passwords of users, by which they sign in to the console: set, changed, checked,
// as IAM's login profiles, under the account's password policy. Only Argon2id hashes are kept. A
// profile is of the id of a user, which never comes again. Any thread; hashing is done outside of
// transactions. The constructor brings the schema up to date.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time/time.hpp"
#include "control/passwords/attempt_limits.hpp"
#include "control/passwords/password_policy.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct LoginProfile {
  std::string user_id;
  std::string hash;
  bool must_change = false;  // before anything else is done
  std::string mark;          // another one after each change: sessions of before end
  base::Timestamp created;
  base::Timestamp set;
};

// Whose password it is.
struct PasswordOwner {
  std::string id;
  std::string name;
};

enum class NextSignIn : std::uint8_t { as_usual, must_change };

class Passwords {
 public:
  Passwords(store::Database& database, const base::Clock& clock);

  // Throws already_exists; NamedRefusal(PasswordPolicyViolation), also where others do.
  LoginProfile create(const PasswordOwner& owner, const std::string& password, NextSignIn next);
  [[nodiscard]] std::optional<LoginProfile> find(const std::string& user_id) const;
  [[nodiscard]] LoginProfile require(const PasswordOwner& owner) const;  // not_found
  // What is not given stays. Throws not_found.
  void update(const PasswordOwner& owner, const std::optional<std::string>& password,
              std::optional<NextSignIn> next);
  // By its owner, who has shown the old one. Throws as update() does.
  void change(const PasswordOwner& owner, const std::string& password);
  void remove(const PasswordOwner& owner);  // not_found

  // Whether it is the password of that user. A user who has none, or is not there (an empty id),
  // takes as long. Failures count: throws resource_exhausted where there were too many, unavailable
  // where too many are being looked at.
  [[nodiscard]] bool check(const std::string& user_id, const Attempt& attempt,
                           std::string_view password);
  // The same for what is no password: takes an attempt, and gives it back where `is_right`.
  void count(const Attempt& attempt) { limits_.take(attempt); }
  void was_right(const Attempt& attempt) { limits_.give_back(attempt); }

  enum class Standing : std::uint8_t { good, must_change, too_old };
  [[nodiscard]] Standing standing_of(const LoginProfile& profile) const;

  [[nodiscard]] std::optional<PasswordPolicy> policy() const;
  void set_policy(const PasswordPolicy& policy);  // invalid_argument
  void remove_policy();                           // not_found

 private:
  [[nodiscard]] std::string checked_hash(const PasswordOwner& owner, const std::string& password,
                                         const std::optional<LoginProfile>& before) const;
  void store(const LoginProfile& profile, const std::string& replaced);

  store::Database& database_;
  const base::Clock& clock_;
  AttemptLimits limits_;
};

}  // namespace andon::control
