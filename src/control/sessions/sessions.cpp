// SPDX-License-Identifier: Apache-2.0
#include "control/sessions/sessions.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "base/text/utf8.hpp"
#include "control/sessions/schema.hpp"
#include "control/shared/sql_text.hpp"
#include "trust/digests/digest.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using store::Transaction;

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kMostToken = 128;
constexpr std::size_t kMostAgent = 256;
constexpr std::chrono::minutes kUseIsKept{1};
constexpr std::string_view kColumns =
    "id, principal, begun_by, access_key, password_mark, address, user_agent, begun_ms, used_ms, "
    "ends_ms";
constexpr std::array kWays = {SignInBy::password, SignInBy::key, SignInBy::identity_token,
                              SignInBy::link};

std::string new_token() {
  return base::to_base64url(base::random_bytes(kTokenBytes));
}

// "role/<id>/<name>" is one of "role/<id>".
constexpr std::string_view kOfPrincipal =
    "($1 = '' OR principal = $1 OR substr(principal, 1, length($1) + 1) = $1 || '/')";

store::Database& migrated(store::Database& database) {
  migrate_sessions(database);
  return database;
}

}  // namespace

std::string_view to_string(SignInBy by) {
  switch (by) {
    case SignInBy::password:
      return "password";
    case SignInBy::key:
      return "key";
    case SignInBy::identity_token:
      return "identityToken";
    case SignInBy::link:
      break;
  }
  return "link";
}

Sessions::Sessions(store::Database& database, const Iam& iam, const Passwords& passwords,
                   const base::Clock& clock)
    : database_(migrated(database)), iam_(iam), passwords_(passwords), clock_(clock) {}

Sessions::Stored Sessions::read(const store::Row& row) {
  const std::string& word = row.text(2);
  const auto way =
      std::ranges::find_if(kWays, [&](SignInBy one) { return to_string(one) == word; });
  return {.session = {.id = row.text(0),
                      .principal = row.text(1),
                      .by = way == kWays.end() ? SignInBy::link : *way,
                      .access_key = row.text(3),
                      .address = row.text(5),
                      .user_agent = row.text(6),
                      .begun = stored_time(row.integer(7)),
                      .used = stored_time(row.integer(8)),
                      .ends = stored_time(row.integer(9))},
          .mark = row.text(4)};
}

std::string Sessions::mark_of(const std::string& principal) const {
  if (!principal.starts_with(Principals::kUserPrefix)) return {};
  const auto profile = passwords_.find(principal.substr(Principals::kUserPrefix.size()));
  return profile ? profile->mark : std::string();
}

bool Sessions::is_good(Stored& stored, base::Timestamp now) const {
  ConsoleSession& session = stored.session;
  if (session.ends <= now || session.used + kSessionIdles <= now) return false;
  if (!iam_.principals.find(session.principal) || mark_of(session.principal) != stored.mark) {
    return false;
  }
  if (session.access_key.empty()) return true;
  const auto key = iam_.keys.find(session.access_key);
  if (!key || key->is_disabled || key->principal != session.principal) return false;
  session.session_policy = key->session_policy;
  return !key->expires || *key->expires > now;
}

void Sessions::require_principal(const std::string& principal) const {
  if (iam_.principals.find(principal)) return;
  throw Error(ErrorCode::permission_denied, "there is no such user or role any more");
}

BegunSession Sessions::begin(const NewSession& wanted) {
  require_principal(wanted.principal);
  const base::Timestamp now = clock_.now();
  BegunSession begun{.session = {.id = base::random_uuid(),
                                 .principal = wanted.principal,
                                 .by = wanted.by,
                                 .access_key = wanted.access_key,
                                 .address = wanted.address,
                                 .user_agent = base::to_valid_utf8(
                                     base::utf8_prefix(wanted.user_agent, kMostAgent)),
                                 .begun = now,
                                 .used = now,
                                 .ends = now + kSessionLasts},
                     .token = new_token()};
  ConsoleSession& session = begun.session;
  if (!session.access_key.empty()) {
    const auto key = iam_.keys.find(session.access_key);
    if (key && key->expires) session.ends = std::min(session.ends, *key->expires);
    if (key) session.session_policy = key->session_policy;
  }
  const std::string mark = mark_of(session.principal);
  database_.write([&](Transaction& tx) {
    tx.execute(
        "DELETE FROM console_sessions WHERE principal = $1 AND (ends_ms <= $2 OR digest NOT "
        "IN (SELECT digest FROM console_sessions WHERE principal = $1 ORDER BY begun_ms "
        "DESC, digest LIMIT $3))",
        {session.principal, to_stored(now), kMostOfOne - 1});
    if (tx.query_one("SELECT count(*) FROM console_sessions")->integer(0) >= kMost) {
      tx.execute("DELETE FROM console_sessions WHERE ends_ms <= $1 OR used_ms <= $2",
                 {to_stored(now), to_stored(now - kSessionIdles)});
      if (tx.query_one("SELECT count(*) FROM console_sessions")->integer(0) >= kMost) {
        throw Error(ErrorCode::resource_exhausted,
                    "there are " + std::to_string(kMost) + " sessions already");
      }
    }
    tx.execute(
        "INSERT INTO console_sessions (digest, id, principal, begun_by, access_key, password_mark, "
        "address, user_agent, begun_ms, used_ms, ends_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
        "$9, $10, $11)",
        {trust::sha256_hex(begun.token), session.id, session.principal,
         std::string(to_string(session.by)), session.access_key, mark, session.address,
         session.user_agent, to_stored(session.begun), to_stored(session.used),
         to_stored(session.ends)});
  });
  return begun;
}

std::optional<ConsoleSession> Sessions::find(const std::string& token) const {
  if (token.empty() || token.size() > kMostToken) return std::nullopt;
  const std::string digest = trust::sha256_hex(token);
  auto stored = database_.read([&](Transaction& tx) -> std::optional<Stored> {
    const auto row = tx.query_one(
        "SELECT " + std::string(kColumns) + " FROM console_sessions WHERE digest = $1", {digest});
    if (!row) return std::nullopt;
    return read(*row);
  });
  if (!stored || !is_good(*stored, clock_.now())) return std::nullopt;
  return std::move(stored->session);
}

std::optional<ConsoleSession> Sessions::use(const std::string& token) {
  auto session = find(token);
  const base::Timestamp now = clock_.now();
  if (!session || session->used + kUseIsKept > now) return session;
  session->used = now;
  database_.write([&](Transaction& tx) {
    tx.execute("UPDATE console_sessions SET used_ms = $2 WHERE digest = $1",
               {trust::sha256_hex(token), to_stored(now)});
  });
  return session;
}

std::vector<ConsoleSession> Sessions::list(const std::string& principal) const {
  auto all = database_.read([&](Transaction& tx) {
    std::vector<Stored> found;
    for (const store::Row& row :
         tx.query("SELECT " + std::string(kColumns) + " FROM console_sessions WHERE " +
                      std::string(kOfPrincipal) + " ORDER BY begun_ms DESC, id LIMIT $2",
                  {principal, kMost})) {
      found.push_back(read(row));
    }
    return found;
  });
  const base::Timestamp now = clock_.now();
  std::vector<ConsoleSession> good;
  for (Stored& one : all) {
    if (is_good(one, now)) good.push_back(std::move(one.session));
  }
  return good;
}

void Sessions::end(const std::string& id) {
  database_.write([&](Transaction& tx) {
    if (tx.execute("DELETE FROM console_sessions WHERE id = $1", {id}) == 0) {
      throw Error(ErrorCode::not_found, "there is no session '" + id.substr(0, kMostToken) + "'");
    }
  });
}

std::int64_t Sessions::end_all(const std::string& principal) {
  // Rows of sessions that ended with a password are still there.
  const auto count = static_cast<std::int64_t>(list(principal).size());
  database_.write([&](Transaction& tx) {
    tx.execute("DELETE FROM console_sessions WHERE " + std::string(kOfPrincipal), {principal});
  });
  return count;
}

std::string Sessions::make_link(const std::string& principal) {
  require_principal(principal);
  std::string token = new_token();
  const base::Timestamp now = clock_.now();
  database_.write([&](Transaction& tx) {
    tx.execute("DELETE FROM console_links WHERE ends_ms <= $1", {to_stored(now)});
    if (tx.query_one("SELECT count(*) FROM console_links")->integer(0) >= kMostLinks) {
      throw Error(ErrorCode::resource_exhausted,
                  "there are 100 links that nobody has used yet; they end after 15 minutes");
    }
    tx.execute("INSERT INTO console_links (digest, principal, ends_ms) VALUES ($1, $2, $3)",
               {trust::sha256_hex(token), principal, to_stored(now + kSignInLinkLasts)});
  });
  return token;
}

std::optional<std::string> Sessions::first_link() {
  const bool is_first = database_.write([&](Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM console_begun")) return false;
    tx.execute("INSERT INTO console_begun (begun_ms) VALUES ($1)", {to_stored(clock_.now())});
    return true;
  });
  if (!is_first) return std::nullopt;
  return make_link(std::string(kOperatorPrincipal));
}

std::optional<std::string> Sessions::take_link(const std::string& token) {
  if (token.empty() || token.size() > kMostToken) return std::nullopt;
  const std::string digest = trust::sha256_hex(token);
  return database_.write([&](Transaction& tx) -> std::optional<std::string> {
    const auto row =
        tx.query_one("SELECT principal, ends_ms FROM console_links WHERE digest = $1", {digest});
    if (!row) return std::nullopt;
    tx.execute("DELETE FROM console_links WHERE digest = $1", {digest});
    if (stored_time(row->integer(1)) <= clock_.now()) return std::nullopt;
    return row->text(0);
  });
}

std::int64_t Sessions::remove_ended(std::int64_t limit) {
  const base::Timestamp now = clock_.now();
  return database_.write([&](Transaction& tx) {
    tx.execute("DELETE FROM console_links WHERE ends_ms <= $1", {to_stored(now)});
    return tx.execute(
        "DELETE FROM console_sessions WHERE digest IN (SELECT digest FROM console_sessions WHERE "
        "ends_ms <= $1 OR used_ms <= $2 LIMIT $3)",
        {to_stored(now), to_stored(now - kSessionIdles), limit});
  });
}

}  // namespace andon::control
