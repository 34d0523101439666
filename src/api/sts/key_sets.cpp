// SPDX-License-Identifier: Apache-2.0
#include "api/sts/key_sets.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/os/file.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostIssuers = 200;

bool is_url(std::string_view place) {
  return place.starts_with("https://") || place.starts_with("http://");
}

}  // namespace

KeySets::KeySets(KeySetOptions options, const base::Clock& clock, IssuerClient::Fetch fetch)
    : options_(std::move(options)), clock_(clock), client_(options_.ca_file, std::move(fetch)) {}

std::shared_ptr<KeySets::Issuer> KeySets::issuer_of(const std::string& issuer) {
  const std::lock_guard lock(mutex_);
  const auto found = issuers_.find(issuer);
  if (found != issuers_.end()) return found->second;
  if (issuers_.size() >= kMostIssuers) issuers_.clear();
  return issuers_[issuer] = std::make_shared<Issuer>();
}

std::string KeySets::read(const std::string& issuer) const {
  const auto place = options_.places.find(issuer);
  if (place != options_.places.end()) {
    return is_url(place->second) ? client_.get(place->second)
                                 : base::read_file(place->second, trust::kMostKeySetBytes);
  }
  return client_.get(issuer_text(client_.discover(issuer), "jwks_uri"));
}

void KeySets::refresh(const std::string& name, Issuer& issuer) const {
  issuer.tried_at = clock_.now();
  try {
    issuer.keys = trust::read_jwks(read(name));
    issuer.read_at = issuer.tried_at;
    issuer.is_read = true;
    issuer.failure.clear();
  } catch (const Error& error) {
    issuer.failure = "the keys of " + name + " cannot be had: " + error.message();
  }
}

std::vector<trust::Jwk> KeySets::keys_of(const std::string& name, const std::string& key_id) {
  const auto issuer = issuer_of(name);
  const std::lock_guard lock(issuer->mutex);
  const auto fitting = [&] {
    std::vector<trust::Jwk> keys;
    std::ranges::copy_if(issuer->keys, std::back_inserter(keys), [&](const trust::Jwk& key) {
      return key_id.empty() || key.key_id.empty() || key.key_id == key_id;
    });
    return keys;
  };
  const base::Timestamp now = clock_.now();
  const bool is_fresh = issuer->is_read && now - issuer->read_at < kKept;
  if (is_fresh && !fitting().empty()) return fitting();
  const bool was_tried = issuer->is_read || !issuer->failure.empty();
  if (!was_tried || now - issuer->tried_at >= kBetween) refresh(name, *issuer);
  // Old keys are not taken for ever: a provider that cannot be asked may have withdrawn them.
  if (!issuer->is_read || clock_.now() - issuer->read_at >= 24 * kKept) {
    throw Error(ErrorCode::unavailable,
                issuer->failure.empty() ? "the keys of " + name + " are too old" : issuer->failure);
  }
  return fitting();
}

}  // namespace andon::api
