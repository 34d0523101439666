// SPDX-License-Identifier: Apache-2.0
// Sessions of the console. A session is a token of 256 random bits that its owner's browser keeps;
// the database has its digest. It ends 12 hours after it began, after an hour in which nobody used
// it, when it is ended, and at once when its user is deleted or gets another password, or the key
// that it was begun with is disabled, deleted or over. What it may do is what its principal may at
// each call. Any thread; the constructor brings the schema up to date.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "control/iam/iam.hpp"
#include "control/passwords/passwords.hpp"
#include "control/sessions/types.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

class Sessions {
 public:
  // All must outlive it.
  Sessions(store::Database& database, const Iam& iam, const Passwords& passwords,
           const base::Clock& clock);

  // One more; of a principal that has kMostOfOne the oldest ends. Throws permission_denied for a
  // principal that is not there, resource_exhausted.
  BegunSession begin(const NewSession& wanted);
  // The session of that token, where there is one and it has not ended. find() is for what a page
  // asks by itself; use() counts as its use.
  [[nodiscard]] std::optional<ConsoleSession> find(const std::string& token) const;
  [[nodiscard]] std::optional<ConsoleSession> use(const std::string& token);
  // Those that have not ended, newest first: of one principal, or of the user or role ("role/<id>"
  // is all of a role's); empty: of all.
  [[nodiscard]] std::vector<ConsoleSession> list(const std::string& principal) const;
  void end(const std::string& id);  // not_found
  // How many had not ended; `principal` as in list(), not empty.
  std::int64_t end_all(const std::string& principal);

  // A token that signs in once, within kSignInLinkLasts. Throws as begin() does.
  [[nodiscard]] std::string make_link(const std::string& principal);
  // The same for the account itself, once in a database's life: whoever starts a new server has no
  // password yet.
  [[nodiscard]] std::optional<std::string> first_link();
  // Whose it is; nothing where it was used, is over, or never was.
  [[nodiscard]] std::optional<std::string> take_link(const std::string& token);

  // Forgets up to `limit` that have ended; answers how many.
  std::int64_t remove_ended(std::int64_t limit);

  static constexpr std::int64_t kMostOfOne = 20;
  static constexpr std::int64_t kMost = 10'000;
  static constexpr std::int64_t kMostLinks = 100;

 private:
  struct Stored {
    ConsoleSession session;
    std::string mark;
  };
  [[nodiscard]] static Stored read(const store::Row& row);
  // Whether its principal, password and key are what they were; fills in what its key says.
  [[nodiscard]] bool is_good(Stored& stored, base::Timestamp now) const;
  [[nodiscard]] std::string mark_of(const std::string& principal) const;
  void require_principal(const std::string& principal) const;

  store::Database& database_;
  const Iam& iam_;
  const Passwords& passwords_;
  const base::Clock& clock_;
};

}  // namespace andon::control
