// SPDX-License-Identifier: Apache-2.0
#include "control/iam/oidc_providers.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kScheme = "https://";
constexpr std::size_t kLongestUrl = 255;
constexpr std::size_t kThumbprintDigits = 40;

void check_url(const std::string& url) {
  const bool is_plain = url.starts_with(kScheme) && url.size() > kScheme.size() &&
                        url.size() <= kLongestUrl &&
                        base::is_name_of(std::string_view(url).substr(kScheme.size()), "._~:/%-");
  if (is_plain) return;
  throw Error(ErrorCode::invalid_argument,
              "Url: must begin with https:// and have no query, at most 255 characters");
}

void check_clients(const std::vector<std::string>& clients) {
  if (clients.size() > OidcProviders::kMostClients) {
    throw Error(ErrorCode::resource_exhausted, "a provider has at most 100 client IDs");
  }
  for (const std::string& client : clients) {
    if (client.empty() || client.size() > kLongestUrl) {
      throw Error(ErrorCode::invalid_argument, "ClientID: must have 1 to 255 characters");
    }
  }
}

void check_thumbprints(const std::vector<std::string>& thumbprints) {
  if (thumbprints.size() > OidcProviders::kMostThumbprints) {
    throw Error(ErrorCode::invalid_argument, "ThumbprintList: has more than 5");
  }
  for (const std::string& one : thumbprints) {
    const bool is_hex = one.size() == kThumbprintDigits &&
                        one.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    if (!is_hex) {
      throw Error(ErrorCode::invalid_argument, "ThumbprintList: must be SHA-1 in 40 hex digits");
    }
  }
}

OidcProvider read(const store::Row& row) {
  return {.arn = row.text(0),
          .url = row.text(1),
          .clients = stored_list(row.text(2)),
          .thumbprints = stored_list(row.text(3)),
          .created = stored_time(row.integer(4))};
}

std::optional<OidcProvider> find_in(store::Transaction& tx, const std::string& arn) {
  const auto row = tx.query_one(
      "SELECT arn, url, clients, thumbprints, created_ms FROM oidc_providers WHERE arn = $1",
      {arn});
  return row ? std::optional(read(*row)) : std::nullopt;
}

Error no_provider(const std::string& arn) {
  return {ErrorCode::not_found,
          "OpenIDConnect Provider not found for arn " + arn.substr(0, kLongestUrl)};
}

}  // namespace

std::string OidcProvider::issuer() const {
  return url.substr(kScheme.size());
}

std::string OidcProviders::arn_of(const std::string& url) const {
  return "arn:aws:iam::" + account_ + ":oidc-provider/" + url.substr(kScheme.size());
}

OidcProvider OidcProviders::create(const std::string& url, const std::vector<std::string>& clients,
                                   const std::vector<std::string>& thumbprints) {
  check_url(url);
  check_clients(clients);
  check_thumbprints(thumbprints);
  const OidcProvider provider{.arn = arn_of(url),
                              .url = url,
                              .clients = clients,
                              .thumbprints = thumbprints,
                              .created = clock_.now()};
  database_.write([&](store::Transaction& tx) {
    if (find_in(tx, provider.arn)) {
      throw Error(ErrorCode::already_exists, "Provider with url " + url + " already exists.");
    }
    if (tx.query_one("SELECT COUNT(*) FROM oidc_providers")->integer(0) >= kMost) {
      throw Error(ErrorCode::resource_exhausted, "there are 100 OpenID Connect providers already");
    }
    tx.execute(
        "INSERT INTO oidc_providers (arn, url, clients, thumbprints, created_ms) "
        "VALUES ($1, $2, $3, $4, $5)",
        {provider.arn, url, to_stored(clients), to_stored(thumbprints),
         to_stored(provider.created)});
  });
  return provider;
}

OidcProvider OidcProviders::require(const std::string& arn) const {
  auto found = database_.read([&](store::Transaction& tx) { return find_in(tx, arn); });
  if (!found) throw no_provider(arn);
  return *std::move(found);
}

std::optional<OidcProvider> OidcProviders::find_issuer(const std::string& issuer) const {
  if (!issuer.starts_with(kScheme)) return std::nullopt;
  auto found = database_.read([&](store::Transaction& tx) { return find_in(tx, arn_of(issuer)); });
  if (!found || found->url != issuer) return std::nullopt;
  return found;
}

std::vector<std::string> OidcProviders::list() const {
  std::vector<std::string> arns;
  database_.read([&](store::Transaction& tx) {
    for (const auto& row : tx.query("SELECT arn FROM oidc_providers ORDER BY arn")) {
      arns.push_back(row.text(0));
    }
  });
  return arns;
}

void OidcProviders::remove(const std::string& arn) {
  database_.write([&](store::Transaction& tx) {
    if (!find_in(tx, arn)) throw no_provider(arn);
    tx.execute("DELETE FROM oidc_providers WHERE arn = $1", {arn});
  });
}

void OidcProviders::change(const std::string& arn, const std::function<void(OidcProvider&)>& work) {
  database_.write([&](store::Transaction& tx) {
    auto provider = find_in(tx, arn);
    if (!provider) throw no_provider(arn);
    work(*provider);
    tx.execute("UPDATE oidc_providers SET clients = $2, thumbprints = $3 WHERE arn = $1",
               {arn, to_stored(provider->clients), to_stored(provider->thumbprints)});
  });
}

void OidcProviders::add_client(const std::string& arn, const std::string& client) {
  change(arn, [&](OidcProvider& provider) {
    if (std::ranges::find(provider.clients, client) == provider.clients.end()) {
      provider.clients.push_back(client);
    }
    check_clients(provider.clients);
  });
}

void OidcProviders::remove_client(const std::string& arn, const std::string& client) {
  change(arn, [&](OidcProvider& provider) { std::erase(provider.clients, client); });
}

void OidcProviders::set_thumbprints(const std::string& arn,
                                    const std::vector<std::string>& thumbprints) {
  check_thumbprints(thumbprints);
  change(arn, [&](OidcProvider& provider) { provider.thumbprints = thumbprints; });
}

}  // namespace andon::control
